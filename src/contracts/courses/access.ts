import { type Party, type Refusal, refuse } from '../../../machines/kernel.ts'
import type { Entities } from '../../runtime/entities.ts'
import { notAmong, type Roster } from './roster.ts'

/** A course at one revision. Times in milliseconds since 1970. */
export interface CourseAt extends Roster {
  readonly id: string
  readonly seq: number
  readonly title: string
  readonly createdAt: number
}

/** Looks courses up in their own entities, for those who may see them. */
export interface CourseAccess {
  /** A course of another organisation is answered exactly like one that does not exist. */
  course(id: string, by: Party): Promise<CourseAt | Refusal>
  /** The course, for its students, its teachers and admins. */
  visible(id: string, by: Party): Promise<CourseAt | Refusal>
  /** The course, for its teachers and admins. */
  taught(id: string, by: Party): Promise<CourseAt | Refusal>
}

export function courseAccess(entities: Pick<Entities, 'judged'>): CourseAccess {
  const look = (id: string, by: Party, no: (course: CourseAt) => Refusal | null): Promise<CourseAt | Refusal> =>
    entities.judged('course', id, ({ revision: seq, state }) => {
      if (seq < 0 || state.context.org !== by.org) return refuse('no-such-course')
      const course = { id, seq, ...state.context }
      return no(course) ?? course
    })
  return {
    course: (id, by) => look(id, by, () => null),
    visible: (id, by) => look(id, by, (course) => notAmong(course, by)),
    taught: (id, by) =>
      look(id, by, (course) => {
        if (by.role === 'admin' || teaches(course, by)) return null
        return by.role === 'teacher' ? refuse('own-course-only') : refuse('teachers-only')
      }),
  }
}

export const teaches = ({ teachers }: Roster, { role, id }: Party): boolean =>
  role === 'teacher' && teachers.includes(id)
