import { type LessonRow, lessons } from '../../projections/lessons.ts'
import type { Keeper } from '../views/keeper.ts'
import type { Entry } from '../views/store.ts'
import type { LessonFilter, LessonList } from './http-lessons.ts'

const PAGE = 200
/** As for chats: a filter that hardly anything passes must not hold a request for ever. */
const MAX_SCANNED = 5_000
const PATIENCE_MS = 1_000

/** Lists lessons from the live view. `upTo` tells the position that it has to show first: whoever was acknowledged something finds it listed. */
export function lessonList(views: Pick<Keeper, 'scan' | 'reached'>, upTo: () => bigint): LessonList {
  return {
    async list(filter, limit, after) {
      await views.reached(lessons.name, upTo(), PATIENCE_MS)
      const prefix = prefixFor(filter)
      const from = prefix + (filter.from === undefined ? '' : moment(filter.from))
      let to = prefix + (after ?? (filter.to === undefined ? '~' : moment(filter.to)))
      const found: (readonly [string, LessonRow])[] = []
      for (let scanned = 0; scanned < MAX_SCANNED; scanned += PAGE) {
        const { entries } = await views.scan(lessons.name, { from, to, limit: PAGE, backwards: true })
        for (const { index, key, row } of entries) {
          to = index
          if (!passes(row, filter)) continue
          found.push([key, row as unknown as LessonRow]) // the view's rows, but for parked ones, are what its projection folds
          if (found.length === limit) return { lessons: found, next: to.slice(prefix.length) }
        }
        if (entries.length < PAGE) return { lessons: found }
      }
      return { lessons: found, next: to.slice(prefix.length) }
    },
  }
}

/** The index that leaves least to sift. All of them go by the planned start. */
function prefixFor({ org, state, teacher }: LessonFilter): string {
  if (teacher !== undefined) return `teacher/${org}/${teacher}/`
  return state === undefined ? `all/${org}/` : `status/${org}/${state}/`
}

function passes(row: Entry['row'], { state }: LessonFilter): boolean {
  if (typeof row !== 'object' || row === null || 'parked' in row) return false
  return state === undefined || (row as unknown as LessonRow).status === state
}

const moment = (milliseconds: number): string => String(Math.max(0, milliseconds)).padStart(14, '0')
