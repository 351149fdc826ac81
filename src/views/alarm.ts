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
   * The table claims to know events that the log does not have (the log was put back from a copy): it is built anew.
   */
  | { readonly kind: 'ahead-of-log'; readonly view: string; readonly table: string; readonly position: bigint }
