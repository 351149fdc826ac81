import { nextTurn, slice } from '../../slices.ts'
import type { ViewRunner } from '../../views/runner.ts'

export type Views = Pick<ViewRunner, 'scan' | 'reached'>

const PAGE = 200
/** Of rows that are parsed in one go; a course of 10,000 students has as many by itself. */
const PORTION_CHARACTERS = 64 * 1024
/** Moments are written with 14 digits, so that the order of texts is that of times. */
const LAST_MS = 10 ** 14 - 1
/**
 * A filter that hardly anything passes must not hold a request for ever: then a page may be short, or empty, and still
 * have a `next`.
 */
const MAX_SCANNED = 5_000
/**
 * Views follow the log some milliseconds behind; whoever lists waits this long for them, then is shown what there is.
 */
export const VIEW_WAIT_MS = 1_000

export interface TimeListParts<R, F> {
  readonly view: string
  /** The list that a filter means, up to and with the last `/`; its entries go on with `<moment>/<key>`. */
  prefixFor(filter: F): string
  /** For what the list does not tell apart. Default: everything passes. */
  passes?(row: R, filter: F): boolean
}

/** Milliseconds since 1970; `to` exclusive. */
export interface Period {
  /** Default: the latest first. */
  readonly order?: 'oldest' | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** Rows of one view by a time; a filter `F` says which, and in which order. */
export interface TimeList<R, F> {
  /** `after`: the `next` of the page before. Rejects with ViewsUnavailable. */
  list(filter: F, limit: number, after: string | undefined): Promise<Page<R>>
}

export interface Page<R> {
  readonly rows: readonly (readonly [key: string, row: R])[]
  /** Handed back as `after` for the following page; absent on the last one. */
  readonly next?: string
}

/** A page as it is answered. */
export interface Listed<Item> {
  readonly data: readonly Item[]
}

/** The page with its rows as clients see them. */
export const listed = <R, Item>({ rows, next }: Page<R>, itemOf: (key: string, row: R) => Item) => ({
  data: rows.map(([key, row]) => itemOf(key, row)),
  next,
})

/**
 * Lists from a live view. `upTo` tells the position that the view has to show first: whoever was acknowledged something
 * finds it listed.
 */
export const timeList =
  <R, F extends Period>({ view, prefixFor, passes = () => true }: TimeListParts<R, F>) =>
  (views: Views, upTo: () => bigint): TimeList<R, F> => ({
    async list(filter, limit, after) {
      await views.reached(view, upTo(), VIEW_WAIT_MS)
      const prefix = prefixFor(filter)
      const backwards = filter.order !== 'oldest'
      let from = prefix + (filter.from === undefined ? '' : moment(filter.from))
      let to = prefix + (filter.to === undefined ? '~' : moment(filter.to))
      const goOn = (index: string): void => {
        if (backwards) to = index
        else from = `${index}!` // behind it and before all others: ids and numbers have no character below "-"
      }
      if (after !== undefined) goOn(prefix + after)
      let last = ''
      const rows: (readonly [string, R])[] = []
      // Nearly always nothing has to be sifted: then no row is read that is not shown.
      for (let scanned = 0, sifts = false; scanned < MAX_SCANNED; ) {
        const asked = sifts ? PAGE : limit + 1 - rows.length
        const portion = { limit: asked, backwards, characters: PORTION_CHARACTERS }
        const { entries, isCut } = await views.scan(view, { from, to, ...portion })
        scanned += entries.length
        for (const { index, key, row: stored } of entries) {
          // What stands in a list is what the view's projection folded; parked rows stand in none.
          const row = stored as unknown as R
          if (passes(row, filter)) {
            if (rows.length === limit) return { rows, next: last.slice(prefix.length) }
            rows.push([key, row])
          }
          last = index
          goOn(index)
        }
        if (isCut) await nextTurn()
        else if (entries.length < asked) return { rows }
        else {
          sifts = true
          await slice()
        }
      }
      return { rows, next: last.slice(prefix.length) }
    },
  })

const moment = (milliseconds: number): string => String(Math.min(Math.max(0, milliseconds), LAST_MS)).padStart(14, '0')
