import type { Category, EventOf } from '../machines/catalogue.ts'
import type { Recorded } from '../machines/kernel.ts'
import { idIn, streamName } from '../machines/stream.ts'

/**
 * A row is JSON and remembers the revision of the last event it has seen (`seq`), so that seeing an event twice is
 * harmless.
 */
export interface Row {
  readonly seq: number
}

/**
 * A read model in which every row is the fold of exactly one stream. That one restriction buys a lot: a row can be made
 * again at any time by reading its stream, rows can be folded in any grouping, and a poison event spoils one row, never
 * the view.
 */
export interface Projection<R extends Row = Row> {
  readonly name: string
  /** Raise it when `fold` or `index` changes meaning: stores then rebuild the view by themselves. */
  readonly version: number
  /**
   * The row that this event changes, null when the event is none of this view's business. Printable ASCII without NUL.
   */
  key(recorded: Recorded): string | null
  /** The stream whose fold the row with this key is. */
  stream(key: string): string
  /** The row after the event; undefined removes it. Pure, and must not change `row`. */
  fold(row: R | undefined, recorded: Recorded): R | undefined
  /**
   * The sorted lists that this row stands in: full index entries, printable ASCII, which the store keeps in byte order.
   */
  index(key: string, row: R): readonly string[]
}

/** What a projection of one category's streams says of itself. */
export interface CategoryProjection<R extends Row, K extends Category> {
  readonly name: string
  readonly version: number
  /** The row's key, from the entity's id. Default: the id. */
  readonly key?: (id: string) => string
  /** The way back. */
  readonly id?: (key: string) => string
  fold(row: R | undefined, recorded: Recorded<EventOf<K>>): R | undefined
  index(key: string, row: R): readonly string[]
}

/** The projection of all streams of one category: one row for each entity. */
export const projectionOf = <R extends Row, K extends Category>(
  category: K,
  { name, version, key = (id) => id, id = (key) => key, fold, index }: CategoryProjection<R, K>,
): Projection<R> => ({
  name,
  version,
  key({ stream }) {
    const entity = idIn(category, stream)
    return entity === null ? null : key(entity)
  },
  stream: (key) => streamName(category, id(key)),
  fold: (row, recorded) => fold(row, recorded as Recorded<EventOf<K>>), // the stream's category says so
  index,
})
