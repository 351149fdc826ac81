import { type CourseRow, courses } from '../../../projections/courses.ts'
import { type Period, type TimeList, timeList } from '../../gateway/http/pages.ts'

/** Whose courses to list: those of one person, or of the whole organisation. */
export interface CourseFilter extends Period {
  readonly org: string
  readonly role: 'admin' | 'teacher' | 'student'
  readonly id: string
}

export type CourseList = TimeList<CourseRow, CourseFilter>

/** Lists courses by their creation. */
export const courseList = timeList<CourseRow, CourseFilter>({
  view: courses.name,
  prefixFor: ({ org, role, id }) => (role === 'admin' ? `all/${org}/` : `${role}/${org}/${id}/`),
})
