import { type CourseRow, courses } from '../../../projections/courses.ts'
import { type Page, pageOf, type Views } from '../../gateway/http/pages.ts'

export interface CourseList {
  /** Those of one person, or of the whole organisation. */
  list(
    whose: { readonly org: string; readonly role: 'admin' | 'teacher' | 'student'; readonly id: string },
    limit: number,
    after: string | undefined,
  ): Promise<Page<CourseRow>>
}

/** Lists courses from the live view, by their creation. `upTo` tells the position that it has to show first. */
export function courseList(views: Views, upTo: () => bigint): CourseList {
  return {
    list({ org, role, id }, limit, after) {
      const prefix = role === 'admin' ? `all/${org}/` : `${role}/${org}/${id}/`
      const whole = { from: undefined, to: undefined }
      return pageOf<CourseRow>(views, { view: courses.name, upTo: upTo(), prefix, ...whole, after, limit })
    },
  }
}
