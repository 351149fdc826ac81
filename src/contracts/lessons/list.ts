import { type LessonRow, lessons } from '../../../projections/lessons.ts'
import { pageOf, type Views } from '../../gateway/http/pages.ts'
import type { LessonFilter, LessonList } from './http.ts'

/** Lists lessons from the live view. `upTo` tells the position that it has to show first. */
export function lessonList(views: Views, upTo: () => bigint): LessonList {
  return {
    list: (filter, limit, after) =>
      pageOf<LessonRow>(views, {
        view: lessons.name,
        upTo: upTo(),
        prefix: prefixFor(filter),
        from: filter.from,
        to: filter.to,
        after,
        limit,
        passes: ({ status }) => filter.state === undefined || status === filter.state,
      }),
  }
}

/** The index that leaves least to sift. All of them go by the planned start. */
function prefixFor({ org, state, teacher }: LessonFilter): string {
  if (teacher !== undefined) return `teacher/${org}/${teacher}/`
  return state === undefined ? `all/${org}/` : `status/${org}/${state}/`
}
