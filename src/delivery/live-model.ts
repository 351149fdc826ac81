import type { Recorded } from '../../machines/kernel.ts'
import type { Projection, Row } from '../../projections/projection.ts'
import { keepNewest } from '../keep-newest.ts'
import { StreamDamaged } from '../log/damaged.ts'
import type { FoldHistory } from '../log/fold-history.ts'
import { foldStream } from '../log/fold-stream.ts'
import type { Checkpoint, Log } from '../log/log.ts'
import { recordedAt } from '../log/recorded-at.ts'
import type { ViewStore } from '../views/store.ts'
import type { Change, Foreseeing } from './feed.ts'
import { MemoryLists } from './memory-lists.ts'
import type { EventRef } from './notice.ts'
import { type SeedList, seedFrom } from './seed.ts'

export interface LiveModelOptions<R extends Row> {
  readonly category: string
  readonly projection: Projection<R>
  /** Rows for which this is false are let go of. */
  readonly keeps: (row: R) => boolean
  /** The lists that a kept row stands in, by their names: what openings and policies look things up by. */
  readonly lists: (key: string, row: R) => readonly string[]
  /** True when two rows of one key surely stand in the same lists; spares comparing them. Default: never known. */
  readonly isListedAlike?: (before: R, after: R) => boolean
  /** The lists of the view that hold every kept row, up to and with their last `/`. */
  readonly seeds: readonly SeedList[]
  /** Rows that are over and kept for the sake of one list, of which there may be ever more. */
  readonly past?: KeptPast<R> | undefined
  /** Makes a view's key of what the view calls a row. Default: the same. */
  readonly keyOf?: (viewKey: string) => string
  /** Whether an event begins a row that is not in memory. Default: the first one of its stream. */
  readonly begins?: (recorded: Recorded) => boolean
  /**
   * What an event means whose row is neither in memory nor begun by it. `load`: the row is made from its stream.
   * `final`: the same, but a row that was let go of never comes back, which is remembered of the newest ones.
   * `ignore`: it is no news.
   */
  readonly unknown: 'load' | 'final' | 'ignore'
  /** Makes a row from its whole stream, where that tells more than one event after another. Default: `projection`. */
  readonly whole?: Projection<R>
  /** Of `whole`: makes rows as they were after late events of long streams. Default: from the beginning each time. */
  readonly history?: FoldHistory<R> | undefined
  /** True when the event tells what only the whole stream knows: then the row is made from it first. */
  readonly needsWhole?: (recorded: Recorded, row: R) => boolean
  /** True when the view's row lacks what only the whole stream knows: seeding then makes it from the stream. */
  readonly isPartial?: (row: R) => boolean
  /** The lists whose keys are kept in their order, for `after`. Default: none. */
  readonly isOrdered?: (list: string) => boolean
  /** What a row weighs in the lists, for `weightOf`. Default: nothing. */
  readonly weigh?: (row: R) => number
  /** Whether `newest` is asked for: seeding then reads the last event of each row. */
  readonly refs?: boolean
}

/** The newest of them are kept, and once more as many between two cuts. */
export interface KeptPast<R> {
  /** The list of such rows in which a row stands; null = it is no such row. */
  readonly list: (row: R) => string | null
  /** Their order. */
  readonly place: (row: R) => string
  readonly most: number
  /** Less than half of that are in it now: perhaps there are others that were let go of. */
  readonly onShort: (list: string) => void
}

const NONE: readonly string[] = []

/** Rows that are seeded side by side. */
const AT_ONCE = 16

/** Events of rows that were let go of come long afterwards; of so many it is remembered that they are no news. */
const MAX_FINISHED = 10_000

/**
 * The hot rows of one view, folded from the log by the same pure projection as the view itself. Rows are put in from
 * the view or their stream and then moved by events; an event that a row has already seen changes nothing.
 */
export class LiveModel<R extends Row> implements Foreseeing<Change<R>> {
  readonly category: string
  readonly #options: LiveModelOptions<R>
  readonly #log: Log
  readonly #rows = new Map<string, R>()
  readonly #lists: MemoryLists<R>
  readonly #finished = new Set<string>()
  /** Lists of the past of which rows were let go of, or may not have been put in. */
  readonly #cut = new Set<string>()
  /** Of those who put in rows that they read: what is heard of meanwhile. */
  readonly #readers = new Set<Set<string>>()

  constructor(log: Log, options: LiveModelOptions<R>) {
    this.category = options.category
    this.#log = log
    this.#options = options
    this.#lists = new MemoryLists(options.weigh, options.isOrdered)
  }

  get(key: string): R | undefined {
    return this.#rows.get(key)
  }

  /** Every row in memory, by key. */
  entries(): IterableIterator<[string, R]> {
    return this.#rows.entries()
  }

  /** The rows of one list, by key, in the order in which they came in. */
  list(name: string): ReadonlyMap<string, R> {
    return this.#lists.rows(name)
  }

  /** The rows of an ordered list behind this key, in the order of their keys. */
  after(list: string, key: string): Iterable<readonly [key: string, row: R]> {
    return this.#lists.after(list, key)
  }

  /** What the rows of this list weigh together. */
  weightOf(list: string): number {
    return this.#lists.weightOf(list)
  }

  /** The newest event of the rows of this list that this node has heard; undefined when it has heard none. */
  newest(list: string): EventRef | undefined {
    return this.#lists.newest(list)
  }

  /** Puts in a row that somebody else folded. */
  adopt(key: string, row: R): void {
    this.#put(key, this.#rows.get(key), row, undefined)
  }

  /** Puts in the rows that `read` gives; of what is heard of meanwhile more is known here. */
  async adoptRead(read: () => Promise<Iterable<readonly [key: string, row: R]>>): Promise<void> {
    const heard = new Set<string>()
    this.#readers.add(heard)
    try {
      for (const [key, row] of await read())
        if (!heard.has(key) && !this.#rows.has(key)) this.#put(key, undefined, row, undefined)
    } finally {
      this.#readers.delete(heard)
    }
  }

  isMissing(recorded: Recorded): boolean {
    const { projection, unknown, needsWhole } = this.#options
    const key = projection.key(recorded)
    if (key === null) return false
    const row = this.#rows.get(key)
    if (row) return recorded.revision > row.seq && needsWhole?.(recorded, row) === true
    return unknown !== 'ignore' && !this.#begins(recorded) && !this.#finished.has(key)
  }

  async load(recorded: Recorded): Promise<void> {
    const { projection, whole = projection, history } = this.#options
    const key = projection.key(recorded)
    const upTo = recorded.revision - 1
    const past = history
      ? await history.at(recorded.stream, upTo)
      : await foldStream(this.#log, recorded.stream, whole.fold, { upTo })
    // Also a row that is not kept: the event at hand moves it on.
    if (past && key !== null) this.#put(key, this.#rows.get(key), past.state, past.last)
  }

  changeOf(recorded: Recorded): Change<R> | undefined {
    const { projection } = this.#options
    const key = projection.key(recorded)
    if (key === null || this.#finished.has(key)) return undefined
    const before = this.#rows.get(key)
    if (before ? recorded.revision <= before.seq : !this.#begins(recorded)) return undefined
    return { key, recorded, before, after: projection.fold(before, recorded) }
  }

  onEvent(recorded: Recorded): Change<R> | undefined {
    const change = this.changeOf(recorded)
    if (!change) return undefined
    const { key, before, after } = change
    for (const heard of this.#readers) heard.add(key)
    this.#put(key, before, after, recorded)
    if (!this.#isKept(after)) this.#letGo(key)
    if (this.#options.past) this.#boundPast(this.#options.past, change)
    return change
  }

  async seed(store: ViewStore, log: Log, onError: (error: unknown) => void = () => {}): Promise<Checkpoint | null> {
    const { projection, seeds, keyOf = (key) => key, refs = false, isPartial } = this.#options
    const found = new Map<string, R>()
    const upTo = await seedFrom<R>(store, log, projection.name, seeds, (key, row) => found.set(keyOf(key), row))
    if (upTo === null) return null
    const all = [...found]
    for (let n = 0; n < all.length; n += AT_ONCE) {
      const made = all.slice(n, n + AT_ONCE).map(async ([key, seen]) => {
        const stream = `${this.category}-${key}`
        try {
          const row = isPartial?.(seen) ? await this.#wholeRow(stream, seen) : seen
          return { key, row, last: refs ? await recordedAt(this.#log, stream, row.seq) : undefined }
        } catch (error) {
          if (!(error instanceof StreamDamaged)) throw error
          return onError(error)
        }
      })
      for (const seeded of await Promise.all(made)) {
        if (!seeded) continue
        const { key, row, last } = seeded
        const known = this.#rows.get(key)
        if (!known || known.seq < row.seq) this.#put(key, known, row, last)
        const list = this.#options.past?.list(row)
        if (typeof list === 'string') this.#cut.add(list)
      }
    }
    return upTo
  }

  /** The row as of the same event, as it would be if this node had heard all of the stream. */
  async #wholeRow(stream: string, row: R): Promise<R> {
    const { projection, whole = projection } = this.#options
    let before: R | undefined
    let live: R | undefined
    for await (const batch of this.#log.read(stream, { limit: row.seq + 1 }))
      for (const recorded of batch) {
        if (recorded.revision === row.seq) live = projection.fold(before, recorded)
        else before = whole.fold(before, recorded)
      }
    return live ?? row
  }

  #begins(recorded: Recorded): boolean {
    return this.#options.begins?.(recorded) ?? recorded.revision === 0
  }

  #isKept(row: R | undefined): row is R {
    return row !== undefined && this.#options.keeps(row)
  }

  #put(key: string, before: R | undefined, after: R | undefined, recorded: Recorded | undefined): void {
    const { lists, isListedAlike, refs } = this.#options
    if (after) this.#rows.set(key, after)
    else this.#rows.delete(key)
    const from = this.#isKept(before) ? before : undefined
    const into = this.#isKept(after) ? after : undefined
    const isAlike = from && into && isListedAlike?.(from, into)
    this.#lists.move(
      key,
      from && !isAlike ? lists(key, from) : NONE,
      into ? lists(key, into) : NONE,
      after,
      refs ? recorded : undefined,
    )
  }

  #boundPast({ list, place, most, onShort }: KeptPast<R>, { before, after }: Change<R>): void {
    const was = before ? list(before) : null
    const is = after ? list(after) : null
    if (was !== null && was !== is && this.#cut.has(was) && this.#lists.rows(was).size < most / 2) onShort(was)
    if (is === null) return
    const rows = this.#lists.rows(is)
    if (rows.size <= 2 * most) return
    this.#cut.add(is)
    const oldest = [...rows].sort(([, a], [, b]) => (place(a) < place(b) ? -1 : 1)).slice(0, -most)
    for (const [key, row] of oldest) this.#put(key, row, undefined, undefined)
  }

  #letGo(key: string): void {
    this.#rows.delete(key)
    if (this.#options.unknown !== 'final') return
    this.#finished.add(key)
    keepNewest(this.#finished, MAX_FINISHED)
  }
}
