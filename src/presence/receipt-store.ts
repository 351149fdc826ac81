/** How far the client on one connection is known to have been told; `cursor` is one of `delivery/cursor.ts`. */
export interface Receipt {
  readonly socket: string
  readonly cursor: string
  /** Connections of the same person, by their sockets, that were there when this one came, and silent ever since. */
  readonly silent: readonly string[]
  /** The connections in whose place its client said it comes, as long as it may come in their place once more. */
  readonly named: readonly string[]
  /** Somebody came who did not say in whose place, and may be its client: only whoever names it is told of it. */
  readonly isGuessed: boolean
  /** The connection was lost, or its process ended. */
  readonly isLost: boolean
}

/**
 * Receipts of the connections of people who may come back. They outlive the process, so that a client that comes back
 * after a crash, or to another node, is told what it has missed. A person is `<org>.<id>`. Adapters: a file of this
 * node (`receipt-file.ts`), all nodes over Redis. Writing never waits and never fails: what is lost is told twice.
 */
export interface ReceiptStore {
  /** Puts the receipt of a connection, which is open. */
  put(person: string, receipt: Omit<Receipt, 'isLost'>): void
  /** The connection was lost: its receipt waits for a client that comes back. */
  lose(person: string, socket: string): void
  /** Nobody comes back for this one. */
  drop(person: string, socket: string): void
  /** Empty when nobody can know. Never rejects. */
  of(person: string): readonly Receipt[] | Promise<readonly Receipt[]>
  /** Drops the receipts of everybody else. */
  keepOnly(isKept: (person: string) => boolean): void
  /** This person will not be told what they missed: they are gone. */
  forget(person: string): void
  close(): Promise<void>
}
