import { type LessonRow, type LessonStatus, lessons } from '../../../projections/lessons.ts'
import { type Period, type TimeList, timeList } from '../../gateway/http/pages.ts'

/** Which lessons to list, those that start last first. */
export interface LessonFilter extends Period {
  readonly org: string
  readonly state: LessonStatus | undefined
  readonly teacher: string | undefined
  /** What was to be called off by now is not one of those to come, also while that is not recorded yet. */
  readonly now: number
}

export type LessonList = TimeList<LessonRow, LessonFilter>

export const lessonList = timeList<LessonRow, LessonFilter>({
  view: lessons.name,
  prefixFor,
  passes: ({ status, callOffAt }, { state, now }) =>
    state === undefined || (status === state && (callOffAt === null || callOffAt > now)),
})

/** The index that leaves least to sift. All of them go by the planned start. */
function prefixFor({ org, state, teacher }: LessonFilter): string {
  if (teacher !== undefined) return `teacher/${org}/${teacher}/`
  return state === undefined ? `all/${org}/` : `status/${org}/${state}/`
}
