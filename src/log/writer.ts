import { setImmediate as nextTurn } from 'node:timers/promises'
import { admit } from './admit.ts'
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

/**
 * How long a busy log waits before its next flush. Each flush costs some 300 µs of CPU, whatever it holds: with fewer
 * and larger ones the event loop has more time for everything else, which more than makes up for the wait. A log that
 * is not busy never waits.
 */
const GATHER_MS = 1

/** What one flush answers: its appends, and the repeats and conflicts that rest on its events. */
interface Group {
  readonly rows: Row[]
  readonly writes: Set<Promise<unknown>>
  readonly waiting: { readonly settle: () => void; readonly reject: (error: Error) => void }[]
}

const newGroup = (): Group => ({ rows: [], writes: new Set(), waiting: [] })

/**
 * Group commit: what arrives while a flush is under way is gathered, and the next flush takes all of it. An append is
 * checked and gets its place at once, in the order of the calls and behind the pending events; only its answer waits
 * for the flush.
 */
export function openWriter({ codec, now, disk, flushed, onFatal }: WriterOptions): Writer {
  let durable = BigInt(disk.lastPosition())
  let last = durable
  let current: Group | undefined
  // `current` takes writes until the end of this turn of the event loop, when LMDB closes its transaction.
  let open = false
  let next = newGroup()
  // Between two flushes of a busy log, while the next one gathers.
  let gathering = false
  let refusing: LogUnavailable | undefined
  let idle: (() => void) | undefined
  const heads = openHeads(disk.lastRevision)

  const begin = (group: Group): void => {
    current = group
    open = true
    // Asked for before the first put, hence called before LMDB's own end of the turn.
    setImmediate(() => {
      open = false
      Promise.all(group.writes).then(
        () => done(group),
        (error: unknown) => fail(group, error),
      )
    })
  }

  const write = (group: Group, rows: readonly Row[]): void => {
    try {
      for (const row of rows) group.writes.add(disk.write(row))
    } catch (error) {
      group.writes.add(Promise.reject(error))
    }
  }

  const take = (rows: readonly Row[]): Group => {
    if (!current && !gathering) begin(newGroup())
    const group = open && current ? current : next
    group.rows.push(...rows)
    if (open) write(group, rows)
    return group
  }

  const done = (group: Group): void => {
    // A group begins with its first row.
    durable = group.rows.at(-1)!.position
    current = undefined
    if (next.rows.length > 0) {
      gathering = true
      setTimeout(flushNext, GATHER_MS)
    }
    for (const { settle } of group.waiting) settle()
    flushed(group.rows)
    if (!current && !gathering) idle?.()
  }

  const flushNext = (): void => {
    gathering = false
    const gathered = next
    next = newGroup()
    begin(gathered)
    write(gathered, gathered.rows)
  }

  const fail = async (group: Group, error: unknown): Promise<void> => {
    refusing = new LogUnavailable(
      'writing to the disk failed: nothing more is accepted until the server is started again',
      {
        cause: error,
      },
    )
    // lmdb-js hides the reason in a promise that it rejects a moment later.
    const { commitError } = error as { readonly commitError?: Promise<never> }
    const reason: unknown = (await Promise.race([commitError?.catch((cause: unknown) => cause), nextTurn()])) ?? error
    for (const { reject } of [...group.waiting, ...next.waiting]) reject(refusing)
    current = undefined
    idle?.()
    onFatal(reason)
  }

  /** The places of these ids, when they stand right behind `expected`: the append was made before. */
  const repeated = (stream: string, expected: number, events: readonly Proposed[]): readonly Place[] | undefined => {
    const places: Place[] = disk.scanStream(stream, expected + 1, false, events.length, Number(durable))
    if (places.length < events.length) {
      const pending = [...(current?.rows ?? []), ...next.rows]
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
        if (restsOn <= durable) settle()
        else (restsOn <= (current?.rows.at(-1)?.position ?? -1n) ? current! : next).waiting.push({ settle, reject })
      }),

    durable: () => durable,
    end: (stream) => heads.get(stream).revision,

    async close() {
      refusing ??= new LogUnavailable('the log is closed: nothing can be appended')
      if (!current && !gathering) return
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
