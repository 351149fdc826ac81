import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
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

export function courseAccess(entities: Pick<Entities, 'state'>): CourseAccess {
  const course: CourseAccess['course'] = async (id, by) => {
    const { revision: seq, state } = await entities.state('course', id)
    return seq < 0 || state.context.org !== by.org ? refuse('no-such-course') : { id, seq, ...state.context }
  }
  return {
    course,
    async visible(id, by) {
      const found = await course(id, by)
      return found instanceof Refusal ? found : (notAmong(found, by) ?? found)
    },
    async taught(id, by) {
      const found = await course(id, by)
      if (found instanceof Refusal || by.role === 'admin' || teaches(found, by)) return found
      return by.role === 'teacher' ? refuse('own-course-only') : refuse('teachers-only')
    },
  }
}

export const teaches = ({ teachers }: Roster, { role, id }: Party): boolean =>
  role === 'teacher' && teachers.includes(id)
