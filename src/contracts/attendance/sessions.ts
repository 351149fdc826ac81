import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Call } from '../../runtime/answer.ts'
import { derivedId } from '../../runtime/ids.ts'
import { teaches } from '../courses/access.ts'
import { iso } from '../shared/iso.ts'
import { type CheckInParts, checkIn } from './check-in.ts'
import { shownCode } from './check-in-codes.ts'
import { type Named, type SessionFacts, sessionAccess } from './facts.ts'
import { type Marking, mark, markAll } from './marking.ts'
import { attendanceAt } from './report.ts'
import { attendanceReports } from './reports.ts'
import { reportedSession } from './resources.ts'

export type SessionCallsParts = Omit<CheckInParts, 'sessions' | 'reports'>

/** What people do in one attendance session. */
export function sessionCalls(given: SessionCallsParts) {
  const { log, entities, admission, access, now } = given
  const sessions = sessionAccess(entities, access)
  const reports = attendanceReports(log)
  const parts: CheckInParts = { ...given, sessions, reports }

  /** The report as of one of its events (default: the last), as `by` may see it. */
  async function report(named: Named, by: Party, seq?: number) {
    const { id } = named
    const facts = await sessions.session(named, by)
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
    return { ...(await reportedSession(id, then)), ...(checksIn ? codeNow(facts) : {}) }
  }

  const codeNow = ({ secret }: SessionFacts) => {
    const { code, expiresAt } = shownCode(secret, now())
    return { code, code_expires_at: iso(expiresAt) }
  }

  return {
    report,

    /** A number = milliseconds after which another code is heard. */
    checkIn: (named: Named, by: Party, code: string, address: string, call: Call) =>
      checkIn(parts, named, by, code, address, call),

    mark: (named: Named, by: Party, marking: Marking, call: Call) => mark(parts, named, by, marking, call),

    /** The same for several: see `markAll`. Each is a call of its own, named after its student. */
    markAll(named: Named, by: Party, markings: readonly Marking[], call: Call) {
      const { clientId } = call
      const callOf = ({ studentId }: Marking): Call =>
        clientId === undefined ? call : { ...call, clientId: derivedId(`mark ${clientId}\n${studentId}`) }
      const calls = markings.map((marking) => ({ marking, call: callOf(marking) }))
      return markAll(parts, named, by, calls)
    },

    async end(named: Named, by: Party, byName: string, call: Call) {
      const found = await sessions.inCharge(named, by)
      if (found instanceof Refusal) return found
      const { course } = found
      const roster = { courseSeq: course.seq, students: course.students }
      const command = { type: 'EndAttendance', teaches: teaches(course, by), byName, roster, by, at: now() } as const
      const answer = await admission.ask('attendance', named.id, command, { ...call, payload: null })
      return answer instanceof Refusal ? answer : report(named, by)
    },

    async callOff(named: Named, by: Party, byName: string, call: Call) {
      const found = await sessions.inCharge(named, by)
      if (found instanceof Refusal) return found
      const command = { type: 'CallOffAttendance', teaches: teaches(found.course, by), byName, by, at: now() } as const
      const answer = await admission.ask('attendance', named.id, command, { ...call, payload: 'call off' })
      return answer instanceof Refusal ? answer : report(named, by)
    },

    async code(named: Named, by: Party) {
      const found = await sessions.inCharge(named, by)
      if (found instanceof Refusal) return found
      const { state } = await entities.state('attendance', named.id)
      if (state.matches('calledOff')) return refuse('session-called-off')
      if (!state.matches('active') || now() >= state.context.dueAt) return refuse('session-ended')
      if (state.context.checkIn !== 'code') return refuse('check-in-by-teacher')
      return { id: named.id, ...codeNow(found.facts) }
    },
  }
}

export type SessionCalls = ReturnType<typeof sessionCalls>
