import type { AttendanceEvent, MarkStatus } from '../../../machines/attendance/events.ts'
import { markOf } from '../../../machines/attendance/marks.ts'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { type CourseAccess, type CourseThen, type SessionFacts, teaches } from '../courses/access.ts'
import { enrolmentsOf } from '../courses/enrolments.ts'
import { iso } from '../shared/iso.ts'
import { accepts, shownCode } from './check-in-codes.ts'
import type { CheckInGuesses } from './check-in-guesses.ts'
import { attendanceAt, attendanceReports, factOf } from './report.ts'
import { reportedMark, reportedSession } from './resources.ts'

export interface SessionCallsParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state'>
  readonly admission: AdmissionQueue
  readonly access: CourseAccess
  readonly guesses: CheckInGuesses
  /** Milliseconds since 1970. Only this clock says which code is good. */
  readonly now: () => number
}

/** One session, named by its id and perhaps by its course, which must then be its own. */
export interface Named {
  readonly id: string
  readonly course_id?: string | undefined
}

export interface Marking {
  readonly studentId: string
  readonly status: MarkStatus
  readonly reason: string | null
}

/** The session has ended while its roster was looked at: once more, and it cannot happen again. */
const ATTEMPTS = 3

/** What people do in one attendance session. */
export function sessionCalls({ log, entities, admission, access, guesses, now }: SessionCallsParts) {
  const reports = attendanceReports(log)

  /** The report as of one of its events (default: the last), as `by` may see it. */
  async function report({ id, course_id }: Named, by: Party, seq?: number) {
    const facts = await access.session(id, course_id, by)
    if (facts instanceof Refusal) return facts
    const course = await access.visible(facts.courseId, by)
    if (course instanceof Refusal) return course
    const latest = await reports.now(id)
    const last = latest?.row.seq ?? -1
    const then = seq === undefined || seq === last ? latest : seq < last ? await attendanceAt(log, id, seq) : undefined
    if (!then) return refuse('no-such-event')
    if (by.role === 'student') return reportedSession(id, then, by.id)
    const { state, checkIn, dueAt } = then.row
    const checksIn = seq === undefined && state === 'active' && checkIn === 'code' && now() < dueAt
    return { ...reportedSession(id, then), ...(checksIn ? codeNow(facts) : {}) }
  }

  const codeNow = ({ secret }: SessionFacts) => {
    const { code, expiresAt } = shownCode(secret, now())
    return { code, code_expires_at: iso(expiresAt) }
  }

  /** The session and its course, for those who run it. */
  async function inCharge(
    { id, course_id }: Named,
    by: Party,
  ): Promise<{ facts: SessionFacts; course: CourseThen } | Refusal> {
    const facts = await access.session(id, course_id, by)
    if (facts instanceof Refusal) return facts
    const course = await access.taught(facts.courseId, by)
    return course instanceof Refusal ? course : { facts, course }
  }

  /** A student's mark as the answer left it: repeated under the same key it is the mark of then. */
  async function marked(id: string, { courseId }: SessionFacts, student: string, answer: Answer) {
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

  return {
    report,

    /** A number = milliseconds after which another code is heard. */
    async checkIn({ id, course_id }: Named, by: Party, code: string, address: string, call: Call) {
      const facts = await access.session(id, course_id, by)
      if (facts instanceof Refusal) return facts
      if (by.role !== 'student') return refuse('students-only')
      const course = await access.course(facts.courseId, by)
      if (course instanceof Refusal) return course
      const repeated = call.repeated === true // it was right then, whatever has become of the student and of the code
      if (!repeated && !course.students.includes(by.id)) return refuse('not-in-course')
      const from = { student: `${by.org}.${by.id}`, address }
      return guesses.inTurn(from, async () => {
        const blockedMs = repeated ? 0 : await guesses.blockedMs(from)
        if (blockedMs > 0) return blockedMs
        const at = now()
        const command = { type: 'CheckIn', enrolled: true, codeOk: accepts(facts.secret, code, at), by, at } as const
        const answer = await admission.ask('attendance', id, command, { ...call, payload: { code } })
        if (answer instanceof Refusal && answer.code === 'wrong-check-in-code') await guesses.wrong(from)
        return marked(id, facts, by.id, answer)
      })
    },

    async mark(named: Named, by: Party, marking: Marking, call: Call) {
      const { id } = named
      for (let attempt = 1; ; attempt++) {
        const found = await inCharge(named, by)
        if (found instanceof Refusal) return found
        const { facts, course } = found
        const { marks, courseSeq } = (await entities.state('attendance', id)).state.context
        const { studentId } = marking
        const enrolled =
          markOf(marks, studentId) !== undefined ||
          (courseSeq === null
            ? course.students.includes(studentId)
            : (await enrolmentsOf(log, facts.courseId, courseSeq)).had(studentId, courseSeq))
        const command = {
          type: 'Mark',
          ...marking,
          enrolled,
          courseSeq,
          teaches: teaches(course, by),
          by,
          at: now(),
        } as const
        const answer = await admission.ask('attendance', id, command, { ...call, payload: marking })
        if (answer instanceof Refusal && answer.code === 'busy' && attempt < ATTEMPTS) continue
        return marked(id, facts, studentId, answer)
      }
    },

    async end(named: Named, by: Party, byName: string, call: Call) {
      const found = await inCharge(named, by)
      if (found instanceof Refusal) return found
      const { course } = found
      const roster = { courseSeq: course.seq, students: course.students }
      const command = { type: 'EndAttendance', teaches: teaches(course, by), byName, roster, by, at: now() } as const
      const answer = await admission.ask('attendance', named.id, command, { ...call, payload: null })
      return answer instanceof Refusal ? answer : report(named, by)
    },

    async code(named: Named, by: Party) {
      const found = await inCharge(named, by)
      if (found instanceof Refusal) return found
      const { state } = await entities.state('attendance', named.id)
      if (!state.matches('active') || now() >= state.context.dueAt) return refuse('session-ended')
      return state.context.checkIn === 'code' ? codeNow(found.facts) : refuse('check-in-by-teacher')
    },
  }
}
