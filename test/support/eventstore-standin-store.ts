import {
  DELETED,
  isSoftDeleted,
  metastreamOf,
  reopened,
  retentionOf,
  visibleOf,
} from './eventstore-standin-retention.ts'

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
  /** A leader that is alone has it and may lose it: not acknowledged, not readable, not delivered. */
  | { readonly kind: 'uncommitted' }

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
  /** What a read of the stream shows at this moment of the server's clock; null = there is no such stream. */
  visible(name: string, nowMs: number): readonly Kept[] | null
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
  /** A record stood here, and reading from here gives what follows. */
  isScavenged(position: bigint): boolean
  /** The events are hidden; whoever writes to the stream again goes on with the next number. */
  softDelete(name: string, createdMs: number): void
  /** Takes out of `$all` what reads of the streams do not show, but for the newest event of each stream. */
  scavenge(nowMs: number): void
  /** From here on the leader is alone. */
  loseQuorum(): void
  /** What it has taken meanwhile is lost with it (it was deposed), or everybody has it now. */
  regainQuorum(fate: 'lost' | 'survived'): void
  /** Calls `listener` after every change until the returned function is called. */
  watch(listener: () => void): () => void
}

/** What a lone leader has taken of one append. */
interface Pending {
  readonly name: string
  readonly events: readonly Raw[]
  readonly createdMs: number
}

/** With `any` and `stream-exists` ids are known for ever; the real server forgets them after a while. */
export function standinStore(): StandinStore {
  const all: Kept[] = []
  const streams = new Map<string, Kept[]>()
  const deleted = new Set<string>()
  const listeners = new Set<() => void>()
  let nextPosition = FIRST_POSITION
  const scavenged = new Set<bigint>()
  /** Set while the leader is alone. */
  let pending: Pending[] | null = null

  const stream = (name: string): readonly Kept[] => streams.get(name) ?? []
  const retention = (name: string) => retentionOf(stream(metastreamOf(name)))

  function keep(name: string, events: readonly Raw[], createdMs: number): void {
    const kept = streams.get(name) ?? []
    streams.set(name, kept)
    for (const raw of events) {
      const revision = (kept.at(-1)?.revision ?? -1) + 1
      const one: Kept = { ...raw, stream: name, revision, position: nextPosition, createdMs }
      nextPosition += recordSize(one)
      kept.push(one)
      all.push(one)
    }
  }

  const describe = (name: string, metadata: string, createdMs: number): void =>
    keep(
      metastreamOf(name),
      [{ id: crypto.randomUUID(), type: '$metadata', json: true, ...bytesOf(metadata) }],
      createdMs,
    )

  function commit(name: string, events: readonly Raw[], createdMs: number): Outcome {
    if (pending !== null) {
      pending.push({ name, events, createdMs })
      return { kind: 'uncommitted' }
    }
    const metadata = retention(name)
    if (isSoftDeleted(metadata)) describe(name, reopened(metadata, current(name) + 1), createdMs)
    keep(name, events, createdMs)
    tell()
    const last = stream(name).at(-1)
    if (events.length === 0 || last === undefined)
      throw new Error('an append without events reached the stand-in: the adapter must refuse it')
    return { kind: 'written', revision: last.revision, position: last.position }
  }

  const current = (name: string): number => stream(name).at(-1)?.revision ?? -1
  const pendingOf = (name: string): readonly Raw[] =>
    (pending ?? []).filter((one) => one.name === name).flatMap(({ events }) => events)
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }

  /** What a repeat gets of an append that began with the revision `first`. */
  function repeated(name: string, first: number, events: readonly Raw[], end: number): Outcome {
    const known = current(name)
    const kept = stream(name).filter(({ revision }) => revision >= first && revision < first + events.length)
    const waiting = pendingOf(name).slice(
      Math.max(0, first - known - 1),
      Math.max(0, first + events.length - known - 1),
    )
    const found = [...kept, ...waiting]
    if (found.length !== events.length || events.some(({ id }, i) => found[i]?.id !== id))
      return { kind: 'conflict', current: end }
    const last = kept.at(-1)
    if (waiting.length > 0 || last === undefined) return { kind: 'uncommitted' }
    return { kind: 'written', revision: last.revision, position: last.position }
  }

  return {
    all,
    visible(name, nowMs) {
      const kept = stream(name)
      return kept.length === 0 || isSoftDeleted(retention(name)) ? null : visibleOf(name, kept, retention(name), nowMs)
    },
    isDeleted: (name) => deleted.has(name),
    append(name, expected, events, createdMs) {
      if (deleted.has(name)) return { kind: 'deleted' }
      const end = current(name) + pendingOf(name).length
      const isGone = isSoftDeleted(retention(name))
      if (expected.kind === 'stream-exists' && isGone) return { kind: 'deleted' }
      if (expected.kind === 'any' || expected.kind === 'stream-exists') {
        if (expected.kind === 'stream-exists' && end < 0) return { kind: 'conflict', current: end }
        const first = stream(name).find(({ id }) => id === events[0]?.id)
        return first === undefined ? commit(name, events, createdMs) : repeated(name, first.revision, events, end)
      }
      const wanted = expected.kind === 'revision' ? expected.revision : -1
      if (wanted === end || (isGone && wanted === -1)) return commit(name, events, createdMs)
      return wanted > end ? { kind: 'conflict', current: end } : repeated(name, wanted + 1, events, end)
    },
    tombstone(name) {
      deleted.add(name)
      const revision = Number.MAX_SAFE_INTEGER
      const mark = { id: crypto.randomUUID(), type: '$streamDeleted', json: true, ...bytesOf('') }
      const gone = { ...mark, stream: name, revision, position: nextPosition, createdMs: Date.now() }
      all.push(gone)
      nextPosition += recordSize(gone)
      tell()
    },
    softDelete(name, createdMs) {
      describe(name, DELETED, createdMs)
      tell()
    },
    scavenge(nowMs) {
      for (const [name, kept] of streams) {
        const shown = new Set(visibleOf(name, kept, retention(name), nowMs))
        const left = deleted.has(name) ? [] : kept.filter((one) => shown.has(one) || one === kept.at(-1))
        streams.set(name, left)
      }
      const left = new Set([...streams.values()].flat())
      for (const one of all) if (!left.has(one) && one.type !== '$streamDeleted') scavenged.add(one.position)
      all.splice(0, all.length, ...all.filter((one) => left.has(one) || one.type === '$streamDeleted'))
    },
    loseQuorum() {
      pending ??= []
    },
    regainQuorum(fate) {
      const taken = pending ?? []
      pending = null
      if (fate === 'survived') for (const { name, events, createdMs } of taken) commit(name, events, createdMs)
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
      scavenged.clear()
      pending = null
      nextPosition = backup.end
    },
    end: () => nextPosition,
    isScavenged: (position) => scavenged.has(position),
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const bytesOf = (data: string) => ({ data: Buffer.from(data), meta: new Uint8Array() })

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
