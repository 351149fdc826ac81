import type { Checkpoint } from '../log/log.ts'

/** A row as stored: any JSON object. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One row's new value (null removes it) together with the index entries that it gains and loses by that. */
export interface Change {
  readonly key: string
  readonly row: Json
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

export interface ScanOptions {
  /** Index entries in byte order, `from` inclusive, `to` exclusive. */
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly backwards?: boolean
  /** No further row is read once there are as many characters of them: then the answer is cut. Default: no bound. */
  readonly characters?: number
}

export interface Entry {
  readonly index: string
  readonly key: string
  readonly row: Json
}

export interface Scanned {
  readonly upTo: Checkpoint | null
  readonly entries: readonly Entry[]
  /** There may be more than these, and fewer than `limit`. */
  readonly isCut?: true
}

/**
 * Where views live. A table is one generation of one view: rows by key, index entries by byte order, and the event up
 * to which they are true, with its id (null = nothing folded yet). Everything in here can be thrown away and folded
 * again from the log. A table's name is `<view>.<anything>`, a view's name has no dot; a table comes into being with
 * its first commit. Keys and index entries are printable ASCII of at most 512 characters. Equal entries of several rows
 * stand in the order of their keys. Adapters: memory, embedded (LMDB), Redis; one suite for all: `test/views/suite.ts`.
 * Any method rejects with ViewsUnavailable when the store does not answer.
 */
export interface ViewStore {
  /** The table that serves readers of this view, null when there is none. */
  live(view: string): Promise<string | null>
  /**
   * Makes `table` the live one if `previous` still is (compare-and-set) and drops every other table of this view.
   * False: somebody else was first.
   */
  promote(view: string, previous: string | null, table: string): Promise<boolean>
  /** Rows by key and the event that they are true up to, in one atomic look. */
  read(
    table: string,
    keys: readonly string[],
  ): Promise<{ readonly upTo: Checkpoint | null; readonly rows: readonly (Json | undefined)[] }>
  /** Rows by index order and the event that they are true up to, in one atomic look. */
  scan(table: string, options: ScanOptions): Promise<Scanned>
  /**
   * All changes and the new checkpoint in one atomic step, if the table still stands at `from`, position and id. False:
   * another projector was first.
   */
  commit(table: string, from: Checkpoint | null, to: Checkpoint, changes: readonly Change[]): Promise<boolean>
  close(): Promise<void>
}

/** The store did not answer. Commands go on without it; readers are told to come back. */
export class ViewsUnavailable extends Error {
  override readonly name: string = 'ViewsUnavailable'
}

/** The store holds what nobody wrote: all of it is to be made again from the log. */
export class ViewsDamaged extends ViewsUnavailable {
  override readonly name = 'ViewsDamaged'
}

/** A view has not come yet to where it has to be read: it will in a moment. */
export class ViewsBehind extends ViewsUnavailable {
  override readonly name = 'ViewsBehind'
}
