import type { AnotherPast } from '../log/log.ts'
import type { Poison } from './fold.ts'

/** What somebody should look at. Nothing in here stops the runner. */
export type Alarm =
  /**
   * A row could not be folded; its view goes on without it until it is rebuilt. Raised once per row, by the node that
   * parked it.
   */
  | ({ readonly kind: 'parked'; readonly view: string } & Poison)
  /**
   * Neither the store nor the log is to blame; tried again with growing pauses. Raised once until the view moves again.
   * `view` null: the log's following.
   */
  | { readonly kind: 'failing'; readonly view: string | null; readonly error: unknown }
  /**
   * A table (null: what the log has told since the start) knows an event that the log does not hold: the log was put
   * back from an older backup, or is another one. The table is built anew beside.
   */
  | { readonly kind: 'another-past'; readonly table: string | null; readonly error: AnotherPast }
