import type { AttendanceEvent, MarkStatus } from '../../../machines/attendance/events.ts'
import { markOf } from '../../../machines/attendance/marks.ts'
import { type Party, Refusal } from '../../../machines/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { type CourseAccess, teaches } from '../courses/access.ts'
import { enrolledAt } from '../courses/enrolments.ts'
import type { Named, SessionAccess, SessionFacts } from './facts.ts'
import { factOf } from './report.ts'
import type { AttendanceReports } from './reports.ts'
import { reportedMark } from './resources.ts'

export interface MarkingParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state' | 'judged'>
  readonly admission: AdmissionQueue
  readonly access: CourseAccess
  readonly sessions: SessionAccess
  readonly reports: AttendanceReports
  /** Milliseconds since 1970. Only this clock says which code is good. */
  readonly now: () => number
}

export interface Marking {
  readonly studentId: string
  readonly status: MarkStatus
  readonly reason: string | null
}

/** The session has ended while its roster was looked at: once more, and it cannot happen again. */
const MAX_ATTEMPTS = 3

/** A teacher marks a student, or corrects their mark. */
export async function mark(parts: MarkingParts, named: Named, by: Party, marking: Marking, call: Call) {
  const marked = await markAll(parts, named, by, [{ marking, call }])
  if (marked instanceof Refusal) return marked
  const [only] = marked
  if (!only) throw new Error('one was to be marked and none was answered')
  return only
}

interface MarkingCall {
  readonly marking: Marking
  /** By which it is made. */
  readonly call: Call
}

/**
 * The same for several students, each with an answer of their own, in their order: what is refused for one holds up no
 * other. A refusal of all says that they may not mark here.
 */
export async function markAll(parts: MarkingParts, named: Named, by: Party, markings: readonly MarkingCall[]) {
  const { log, entities, admission, sessions, now } = parts

  /** The session, and who is enrolled as far as it asks. */
  const look = async () => {
    const found = await sessions.inCharge(named, by)
    if (found instanceof Refusal) return found
    const { facts, course } = found
    const { marks, courseSeq } = (await entities.state('attendance', named.id)).state.context
    const isEnrolled = await enrolledAt(log, course, courseSeq ?? course.seq)
    const enrolled = (studentId: string) => markOf(marks, studentId) !== undefined || isEnrolled(studentId)
    return { facts, enrolled, who: { courseSeq, teaches: teaches(course, by), by } }
  }

  const markOne = async ({ marking, call }: MarkingCall, first: Exclude<Awaited<ReturnType<typeof look>>, Refusal>) => {
    const { studentId } = marking
    for (let attempt = 1, { facts, enrolled, who } = first; ; attempt++) {
      const command = { type: 'Mark', ...marking, ...who, enrolled: enrolled(studentId), at: now() } as const
      const answer = await admission.ask('attendance', named.id, command, { ...call, payload: marking })
      if (!(answer instanceof Refusal) || answer.code !== 'busy' || attempt === MAX_ATTEMPTS)
        return markAfter(parts, named.id, facts, studentId, answer)
      const again = await look()
      if (again instanceof Refusal) return again
      ;({ facts, enrolled, who } = again)
    }
  }

  const found = await look()
  return found instanceof Refusal ? found : Promise.all(markings.map((one) => markOne(one, found)))
}

/** A student's mark as the answer left it: repeated under the same key it is the mark of then. */
export async function markAfter(
  { reports }: Pick<MarkingParts, 'reports'>,
  id: string,
  { courseId }: SessionFacts,
  student: string,
  answer: Answer,
) {
  if (answer instanceof Refusal) return answer
  const names = { id: student, session_id: id, course_id: courseId }
  const [event] = answer.events as readonly AttendanceEvent[] // the room of a session makes no others
  const first = event?.type === 'StudentMarked' ? factOf({ event, revision: answer.seq }) : undefined
  if (first) return { ...names, ...reportedMark(student, [first.fact]) }
  const said = (await reports.now(id))?.marks.get(student)
  // What was said since is none of a repeated call's business.
  const then = answer.id === null ? said : said?.filter(({ seq }) => seq <= answer.seq)
  if (!then || then.length === 0) throw new Error(`session ${id} answered a mark of ${student} and has none`)
  return { ...names, ...reportedMark(student, then) }
}
