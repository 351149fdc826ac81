import { admit } from './admit.ts'
import { isFull } from './appender.ts'
import type { Codec } from './codec.ts'
import type { Disk } from './disk.ts'
import { openHeads } from './heads.ts'
import { type Appended, LogUnavailable, type Proposed, WrongRevision } from './log.ts'
import type { Row } from './record.ts'

export interface WriterOptions {
  readonly codec: Codec
  readonly now: () => number
  readonly disk: Disk
  /** Called with the events of one flush as soon as they are durable. */
  readonly flushed: (rows: readonly Row[]) => void
  /** Called once: a flush failed, what is on the disk is unknown, and the process should exit. */
  readonly onFatal: (error: unknown) => void
  /** There is no room for more events; null = there is again. */
  readonly onFull: (error: unknown) => void
}

export interface Writer {
  append(stream: string, expected: number, events: readonly Proposed[], at?: number): Promise<Appended>
  /** Position of the last event that is on the disk, -1n = none. */
  durable(): bigint
  /** Revision of the stream's last event, -1 = no stream. May be ahead of what is durable, never behind it. */
  end(stream: string): number
  /** Refuses further appends; resolves when all accepted ones are answered. */
  close(): Promise<void>
}

/** What one flush takes at most; a single append may be more. */
const MAX_CHARACTERS = 4 * 2 ** 20
/** How often a disk that was full is tried again. */
const AGAIN_MS = 1_000

/** What one flush answers: its appends, and the repeats and conflicts that rest on its events. */
interface Group {
  readonly rows: Row[]
  characters: number
  readonly waiting: { readonly settle: () => void; readonly reject: (error: Error) => void }[]
}

/**
 * Group commit: what arrives while a flush is under way is gathered, and the next flush takes all of it. An append is
 * checked and gets its place at once, in the order of the calls and behind the pending events; only its answer waits
 * for the flush.
 */
export function openWriter({ codec, now, disk, flushed, onFatal, onFull }: WriterOptions): Writer {
  let durable = BigInt(disk.lastPosition())
  let last = durable
  /** The first one is being flushed, as long as `isFlushing`. */
  let groups: Group[] = []
  let isFlushing = false
  let isDue = false
  let refusing: LogUnavailable | undefined
  let full: LogUnavailable | undefined
  let again: NodeJS.Timeout | undefined
  let idle: (() => void) | undefined
  const heads = openHeads(disk.lastRevision)

  /** With the next turn of the event loop: what arrives in this one goes together. */
  const flushSoon = (): void => {
    if (isFlushing || isDue) return
    isDue = true
    setImmediate(flush)
  }

  const flush = (): void => {
    isDue = false
    const [group] = groups
    if (!group) return
    isFlushing = true
    disk.write(group.rows).then(
      () => done(group),
      (error: unknown) => (isFull(error) ? stall(error) : fail(error)),
    )
  }

  const take = (rows: readonly Row[]): Group => {
    let group = groups.at(-1)
    if (!group || (isFlushing && groups.length === 1) || group.characters > MAX_CHARACTERS) {
      group = { rows: [], characters: 0, waiting: [] }
      groups.push(group)
    }
    for (const row of rows) {
      group.rows.push(row)
      group.characters += row.data.length + row.meta.length
    }
    flushSoon()
    return group
  }

  const done = (group: Group): void => {
    // A group begins with its first row.
    durable = group.rows.at(-1)!.position
    groups.shift()
    isFlushing = false
    if (groups.length > 0) flushSoon()
    for (const { settle } of group.waiting) settle()
    flushed(group.rows)
    if (groups.length === 0) idle?.()
  }

  /** Whoever waits is refused, as if nothing had been asked for. */
  const refuseAll = (error: LogUnavailable): void => {
    const refused = groups
    groups = []
    isFlushing = false
    last = durable
    for (const { rows } of refused) heads.forget(rows.map(({ stream }) => stream))
    for (const { waiting } of refused) for (const { reject } of waiting) reject(error)
    idle?.()
  }

  const fail = (error: unknown): void => {
    refusing = new LogUnavailable(
      'writing to the disk failed: nothing more is accepted until the server is started again',
      { cause: error },
    )
    refuseAll(refusing)
    onFatal(error)
  }

  /** Nothing is lost or half there by that, and it may pass. */
  const stall = (error: unknown): void => {
    full = new LogUnavailable('the disk is full: nothing more is accepted until there is room again', { cause: error })
    refuseAll(full)
    onFull(error)
    if (!refusing) again = setTimeout(tryAgain, AGAIN_MS)
  }

  const tryAgain = (): void => {
    disk.prepare().then(
      () => {
        full = undefined
        onFull(null)
      },
      (error: unknown) => {
        if (!isFull(error)) fail(error)
        else if (!refusing) again = setTimeout(tryAgain, AGAIN_MS)
      },
    )
  }

  /** The places of these ids, when they stand right behind `expected`: the append was made before. */
  const repeated = (stream: string, expected: number, events: readonly Proposed[]): readonly Place[] | undefined => {
    const places: Place[] = []
    for (let isCut = true; isCut; ) {
      const from = expected + 1 + places.length
      const rest = { from, backwards: false, limit: events.length - places.length, upTo: Number(durable) }
      const found = disk.scanStream(stream, rest)
      places.push(...found.events)
      isCut = found.isCut && places.length < events.length
    }
    if (places.length < events.length) {
      const pending = groups.flatMap(({ rows }) => rows)
      places.push(
        ...pending
          .filter((row) => row.stream === stream && row.revision > expected)
          .slice(0, events.length - places.length),
      )
    }
    return places.length === events.length && places.every(({ id }, index) => id === events[index]?.id)
      ? places
      : undefined
  }

  return {
    append: (stream, expected, events, at = now()) =>
      new Promise((resolve, reject) => {
        const encoded = admit(codec, stream, expected, events)
        if (refusing) throw refusing
        const head = heads.get(stream)
        if (expected === head.revision) {
          if (full) throw full
          const rows = encoded.map((one, index): Row => {
            last += 1n
            // `encoded[index]` was made from `events[index]`.
            return { ...one, id: events[index]!.id, stream, revision: expected + 1 + index, position: last, at }
          })
          heads.set(stream, { revision: expected + rows.length, position: last }, durable)
          take(rows).waiting.push({ settle: () => resolve(answer(rows)), reject })
          return
        }
        const places = expected < head.revision ? repeated(stream, expected, events) : undefined
        const settle = (): void =>
          places ? resolve(answer(places)) : reject(new WrongRevision(stream, expected, head.revision))
        // Neither a yes nor a no may rest on events that are not yet durable: who is refused now wants to read what it
        // lost to.
        const restsOn = places?.at(-1)?.position ?? head.position
        const group = groups.find(({ rows }) => restsOn <= rows.at(-1)!.position)
        if (restsOn <= durable || !group) settle()
        else group.waiting.push({ settle, reject })
      }),

    durable: () => durable,
    end: (stream) => heads.get(stream).revision,

    async close() {
      refusing ??= new LogUnavailable('the log is closed: nothing can be appended')
      clearTimeout(again)
      if (groups.length === 0) return
      await new Promise<void>((resolve) => {
        idle = resolve
      })
    },
  }
}

type Place = Pick<Row, 'id' | 'revision' | 'position'>

function answer(places: readonly Place[]): Appended {
  // An append holds at least one event (`admit`).
  const { revision, position } = places.at(-1)!
  return { revision, position }
}
