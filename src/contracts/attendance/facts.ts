import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { CourseAccess, CourseAt } from '../courses/access.ts'

/** What never changes about an attendance session. */
export interface SessionFacts {
  readonly courseId: string
  readonly org: string
  readonly teacherId: string
  readonly secret: string
}

/** One session, named by its id and perhaps by its course, which must then be its own. */
export interface Named {
  readonly id: string
  readonly course_id?: string | undefined
}

/** Looks sessions up in their own entities. */
export interface SessionAccess {
  /** A session of this organisation, and of this course where one is named. */
  session(named: Named, by: Party): Promise<SessionFacts | Refusal>
  /** The session and its course, for those who run it. */
  inCharge(named: Named, by: Party): Promise<{ readonly facts: SessionFacts; readonly course: CourseAt } | Refusal>
}

const MAX_KNOWN = 10_000

export function sessionAccess(entities: Pick<Entities, 'judged'>, courses: CourseAccess): SessionAccess {
  /** A class that checks in at once need not wait behind its own marks for what never changes. */
  const known = new Map<string, SessionFacts>()

  const factsOf = async (id: string): Promise<SessionFacts | undefined> => {
    const before = known.get(id)
    if (before) return before
    const begun = await entities.judged('attendance', id, ({ revision, state }) =>
      revision < 0 ? refuse('no-such-session') : state,
    )
    if (begun instanceof Refusal) return undefined
    const { courseId, org, teacherId, secret } = begun.context
    const facts = { courseId, org, teacherId, secret }
    known.set(id, facts)
    keepNewest(known, MAX_KNOWN)
    return facts
  }

  const session: SessionAccess['session'] = async ({ id, course_id: courseId }, by) => {
    const facts = await factsOf(id)
    const theirs =
      facts !== undefined && facts.org === by.org && (courseId === undefined || facts.courseId === courseId)
    return theirs ? facts : refuse('no-such-session')
  }

  return {
    session,
    async inCharge(named, by) {
      const facts = await session(named, by)
      if (facts instanceof Refusal) return facts
      const course = await courses.taught(facts.courseId, by)
      return course instanceof Refusal ? course : { facts, course }
    },
  }
}
