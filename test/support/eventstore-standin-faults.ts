import type { User } from './eventstore-standin-rights.ts'

/** How a server of some version behaves, and what goes wrong with it. Everything may be changed while it runs. */
export interface Behaviour {
  /** The server's clock, ms since 1970. */
  clock: () => number
  maxAppendBytes: number
  /**
   * What of an append counts against it: up to 24.10.3 `data` alone; from 24.10.4 on, and in KurrentDB, `everything`:
   * data, metadata and two bytes for each character of the types.
   */
  counts: 'data' | 'everything'
  /** How long a leader that is alone waits for the others before it says that it cannot tell. */
  commitTimeoutMs: number
  /** False: a server before 23.10, which never says that a subscription caught up. */
  saysCaughtUp: boolean
  /** False: a server before 22.6, which knows no positions when it reads a stream. */
  streamPositions: boolean
  /**
   * `next`: checkpoints name the place of the next event, with a prepare position of 0 (seen in 23.6, KurrentDB issue
   * 3989).
   */
  checkpoints: 'seen' | 'next'
  /** What it says of a position that is no record's: see `eventstore-standin-positions.ts`. */
  invalidPosition: 'as 24.6' | 'as 22.10'
  /** Pause before an append is written and before it is answered, each. */
  appendDelayMs: number
  /** Pause before a read is begun; subscriptions are not meant. */
  readDelayMs: number
  /** What happens to each append. */
  onAppend: (stream: string) => Fate
  /** Set: this node is no leader and names the one who is. */
  leader: { readonly host: string; readonly port: number } | null
  /** False: every call is answered that the server is not ready, as in the seconds after its start. */
  isReady: boolean
  /** Whom it knows by name; null = a server without users, where everybody may do everything. */
  users: ReadonlyMap<string, User> | null
}

/**
 * `lose` = not written, not answered; `keep-silent` = written, not answered; `not-ready` = answered UNAVAILABLE, the
 * connection stays.
 */
type Fate = 'answer' | 'lose' | 'keep-silent' | 'not-ready'

export const behaviour = (over: Partial<Behaviour> = {}): Behaviour => ({
  clock: Date.now,
  maxAppendBytes: 1_048_576,
  counts: 'everything',
  commitTimeoutMs: 50,
  saysCaughtUp: true,
  streamPositions: true,
  checkpoints: 'seen',
  invalidPosition: 'as 24.6',
  appendDelayMs: 0,
  readDelayMs: 0,
  onAppend: () => 'answer',
  leader: null,
  isReady: true,
  users: null,
  ...over,
})

/** While it is shut everything that passes waits. */
export interface Gate {
  shut(): void
  open(): void
  /** Resolves at once while the gate is open. */
  passed(): Promise<void>
}

export function gate(): Gate {
  let barrier: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null
  return {
    shut() {
      barrier ??= Promise.withResolvers<void>()
    },
    open() {
      barrier?.resolve()
      barrier = null
    },
    async passed() {
      while (barrier !== null) await barrier.promise
    },
  }
}
