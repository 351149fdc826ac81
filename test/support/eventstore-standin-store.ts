/** What a client proposes. */
export interface Raw {
  readonly id: string
  readonly type: string
  readonly json: boolean
  readonly data: Uint8Array
  readonly meta: Uint8Array
}

export interface Kept extends Raw {
  readonly stream: string
  readonly revision: number
  readonly position: bigint
  readonly createdMs: number
}

export type Expected =
  | { readonly kind: 'any' | 'no-stream' | 'stream-exists' }
  | { readonly kind: 'revision'; readonly revision: number }

export type Outcome =
  | { readonly kind: 'written'; readonly revision: number; readonly position: bigint }
  /** `current` is -1 when there is no stream. */
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'deleted' }

export interface Backup {
  readonly all: readonly Kept[]
  readonly deleted: readonly string[]
  readonly end: bigint
}

/** What stands in a new database before anybody has written to it takes so much. */
const FIRST_POSITION = 3_481n

/** From one record to the next: positions are places in a file, so that they are far apart. */
export const recordSize = ({ type, data, meta, stream }: Pick<Kept, 'type' | 'data' | 'meta' | 'stream'>): bigint =>
  BigInt(160 + 2 * type.length + stream.length + data.length + meta.length)

/**
 * What EventStoreDB keeps, in memory: it survives the stand-in's crashes, and several stand-ins may share it as one
 * cluster.
 */
export interface StandinStore {
  /** Everything in order of position. */
  readonly all: readonly Kept[]
  stream(name: string): readonly Kept[]
  isDeleted(name: string): boolean
  /** All or nothing; idempotent by position and id, as IndexWriter.CheckCommit is. `createdMs`: the server's clock. */
  append(name: string, expected: Expected, events: readonly Raw[], createdMs: number): Outcome
  /** Final: the stream can never be used again; `$all` shows a `$streamDeleted`. */
  tombstone(name: string): void
  /** Everything as it is now. */
  backup(): Backup
  /** Forgets everything for what a backup holds, of this store or of another one. Its server must be down. */
  putBack(backup: Backup): void
  /** Where the next event will stand: nothing stands here or behind it. */
  end(): bigint
  /** Calls `listener` after every change until the returned function is called. */
  watch(listener: () => void): () => void
}

/**
 * Left out, because Lyceum never uses it: soft deletes, `$maxAge` and its kin, links, persistent subscriptions, rights.
 * With `any` and `stream-exists` ids are known for ever; the real server forgets them after a while.
 */
export function standinStore(): StandinStore {
  const all: Kept[] = []
  const streams = new Map<string, Kept[]>()
  const deleted = new Set<string>()
  const listeners = new Set<() => void>()
  let nextPosition = FIRST_POSITION

  const stream = (name: string): readonly Kept[] => streams.get(name) ?? []

  function commit(name: string, events: readonly Raw[], createdMs: number): Outcome {
    const kept = streams.get(name) ?? []
    streams.set(name, kept)
    for (const raw of events) {
      const one: Kept = { ...raw, stream: name, revision: kept.length, position: nextPosition, createdMs }
      nextPosition += recordSize(one)
      kept.push(one)
      all.push(one)
    }
    for (const listener of [...listeners]) listener()
    const last = kept.at(-1)
    if (last === undefined) throw new Error('an append without events reached the stand-in: the adapter must refuse it')
    return { kind: 'written', revision: last.revision, position: last.position }
  }

  return {
    all,
    stream,
    isDeleted: (name) => deleted.has(name),
    append(name, expected, events, createdMs) {
      if (deleted.has(name)) return { kind: 'deleted' }
      const kept = stream(name)
      const current = kept.length - 1
      const repeated = (first: number): Outcome => {
        const last = kept[first + events.length - 1]
        const same = last !== undefined && events.every(({ id }, i) => kept[first + i]?.id === id)
        return same
          ? { kind: 'written', revision: last.revision, position: last.position }
          : { kind: 'conflict', current }
      }
      if (expected.kind === 'any' || expected.kind === 'stream-exists') {
        if (expected.kind === 'stream-exists' && current < 0) return { kind: 'conflict', current }
        const first = kept.findIndex(({ id }) => id === events[0]?.id)
        return first < 0 ? commit(name, events, createdMs) : repeated(first)
      }
      const wanted = expected.kind === 'revision' ? expected.revision : -1
      if (wanted > current) return { kind: 'conflict', current }
      return wanted === current ? commit(name, events, createdMs) : repeated(wanted + 1)
    },
    tombstone(name) {
      deleted.add(name)
      const none = new Uint8Array()
      const id = crypto.randomUUID()
      const revision = Number.MAX_SAFE_INTEGER
      const gone = { id, type: '$streamDeleted', json: true, data: none, meta: none, stream: name, revision }
      all.push({ ...gone, position: nextPosition, createdMs: Date.now() })
      nextPosition += recordSize(gone)
      for (const listener of [...listeners]) listener()
    },
    backup: () => ({ all: [...all], deleted: [...deleted], end: nextPosition }),
    putBack(backup) {
      all.splice(0, all.length, ...backup.all)
      streams.clear()
      deleted.clear()
      for (const name of backup.deleted) deleted.add(name)
      for (const kept of all) {
        if (kept.type === '$streamDeleted') continue
        const its = streams.get(kept.stream) ?? []
        streams.set(kept.stream, its)
        its.push(kept)
      }
      nextPosition = backup.end
    },
    end: () => nextPosition,
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Index of the first event of `events` at or after `position` (binary search). */
export function indexAt(events: readonly Kept[], position: bigint): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.position < position)
      low = middle + 1 // middle < length
    else high = middle
  }
  return low
}
