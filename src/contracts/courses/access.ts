import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Entities } from '../../runtime/entities.ts'
import { notAmong } from '../attendance/inbound.ts'

/** A course at one revision. Times in milliseconds since 1970. */
export interface CourseThen {
  readonly id: string
  readonly seq: number
  readonly org: string
  readonly title: string
  readonly teachers: readonly string[]
  readonly students: readonly string[]
  readonly createdAt: number
}

/** What never changes about an attendance session. */
export interface SessionFacts {
  readonly courseId: string
  readonly org: string
  readonly teacherId: string
  readonly secret: string
}

/** Looks courses and sessions up in their own rooms, for those who may see them. */
export interface CourseAccess {
  /** A course of another organisation is answered exactly like one that does not exist. */
  course(id: string, by: Party): Promise<CourseThen | Refusal>
  /** The course, for its students, its teachers and admins. */
  visible(id: string, by: Party): Promise<CourseThen | Refusal>
  /** The course, for its teachers and admins. */
  taught(id: string, by: Party): Promise<CourseThen | Refusal>
  /** A session of this organisation, and of this course where one is named. */
  session(id: string, courseId: string | undefined, by: Party): Promise<SessionFacts | Refusal>
}

const KNOWN = 10_000

export function courseAccess(entities: Pick<Entities, 'state'>): CourseAccess {
  /** A class that checks in at once need not wait behind its own marks for what never changes. */
  const known = new Map<string, SessionFacts>()

  const factsOf = async (id: string): Promise<SessionFacts | undefined> => {
    const before = known.get(id)
    if (before) return before
    const { revision, state } = await entities.state('attendance', id)
    if (revision < 0) return undefined
    const { courseId, org, teacherId, secret } = state.context
    const facts = { courseId, org, teacherId, secret }
    known.set(id, facts)
    keepNewest(known, KNOWN)
    return facts
  }

  const course: CourseAccess['course'] = async (id, by) => {
    const { revision: seq, state } = await entities.state('course', id)
    return seq < 0 || state.context.org !== by.org ? refuse('no-such-course') : { id, seq, ...state.context }
  }

  const visible: CourseAccess['visible'] = async (id, by) => {
    const found = await course(id, by)
    return found instanceof Refusal ? found : (notAmong(found, by) ?? found)
  }

  return {
    course,
    visible,
    async taught(id, by) {
      const found = await course(id, by)
      if (found instanceof Refusal || by.role === 'admin' || teaches(found, by)) return found
      return by.role === 'teacher' ? refuse('own-course-only') : refuse('teachers-only')
    },
    async session(id, courseId, by) {
      const facts = await factsOf(id)
      const theirs =
        facts !== undefined && facts.org === by.org && (courseId === undefined || facts.courseId === courseId)
      return theirs ? facts : refuse('no-such-session')
    },
  }
}

export const teaches = ({ teachers }: CourseThen, { role, id }: Party): boolean =>
  role === 'teacher' && teachers.includes(id)
