import { type LessonRow, type LessonStatus, lessons } from '../../../projections/lessons.ts'
import { type Page, pageOf, type Views } from '../../gateway/http/pages.ts'

/** Which lessons to list, those that start last first. Times in milliseconds since 1970; `to` exclusive. */
export interface LessonFilter {
  readonly org: string
  readonly state: LessonStatus | undefined
  readonly teacher: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

export interface LessonList {
  list(filter: LessonFilter, limit: number, after: string | undefined): Promise<Page<LessonRow>>
}

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
