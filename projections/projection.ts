import type { Recorded } from '../machines/kernel.ts'

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
  /** The row after the event; undefined removes it. Pure, and must not change `row`. */
  fold(row: R | undefined, recorded: Recorded): R | undefined
  /**
   * The sorted lists that this row stands in: full index entries, printable ASCII, which the store keeps in byte order.
   */
  index(key: string, row: R): readonly string[]
}
