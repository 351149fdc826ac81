import { type Decision, type Party, type Refusal, refuse, unreachable } from '../kernel.ts'
import type { AttendanceCommand, Roster } from './commands.ts'
import type { AttendanceEvent } from './events.ts'
import type { AttendanceState } from './machine.ts'
import { allMarks, countOf, isPresent, type Mark, markOf } from './marks.ts'

const MINUTE_MS = 60_000
/**
 * At worst all of them are strangers in the end, and an append takes 1 MiB: 15,000 of the longest ids. Whoever unenrols
 * and enrols others can come here.
 */
const MAX_MARKS = 15_000

/**
 * Refusals: `busy` (ask again), `check-in-by-teacher`, `marked-by-teacher`, `no-such-session` (also for every session
 * of another organisation), `not-enrolled`, `not-in-course`, `own-course-only`, `session-called-off`, `session-ended`,
 * `session-exists`, `session-full`, `students-only`, `teachers-only`, `wrong-check-in-code`. Asking for what is so
 * already is answered yes.
 */
export function decide(state: AttendanceState, command: AttendanceCommand): Decision<AttendanceEvent> {
  const { by, at } = command
  const { org, marks, checkIn, startedAt, lateAfterMinutes, dueAt } = state.context

  if (command.type === 'StartAttendance') {
    if (by.role !== 'teacher') return refuse('teachers-only')
    if (!command.teaches) return refuse('own-course-only')
    return state.matches('new') ? start(command) : refuse('session-exists')
  }
  if (state.matches('new') || by.org !== org) return refuse('no-such-session')
  // After its due time it has ended then: only nobody has come to recording it yet.
  const active = state.matches('active') && at < dueAt
  const isCalledOff = state.matches('calledOff')

  switch (command.type) {
    case 'CheckIn': {
      if (by.role !== 'student') return refuse('students-only')
      if (!command.enrolled) return refuse('not-in-course')
      if (isCalledOff) return refuse('session-called-off')
      if (!active) return refuse('session-ended')
      if (checkIn === 'manual') return refuse('check-in-by-teacher')
      const mark = markOf(marks, by.id)
      if (mark && isPresent(mark)) return []
      if (mark) return refuse('marked-by-teacher')
      if (!command.codeOk) return refuse('wrong-check-in-code')
      if (countOf(marks) >= MAX_MARKS) return refuse('session-full', { most: String(MAX_MARKS) })
      const late = lateAfterMinutes !== null && at > startedAt + lateAfterMinutes * MINUTE_MS
      return [
        {
          type: 'StudentMarked',
          studentId: by.id,
          status: late ? 'late' : 'present',
          via: 'code',
          by: by.id,
          at,
          reason: null,
        },
      ]
    }
    case 'Mark': {
      const no = notInCharge(command.teaches, by)
      if (no) return no
      if (isCalledOff) return refuse('session-called-off')
      const { studentId, status, reason } = command
      const mark = markOf(marks, studentId)
      if (mark?.status === status) return []
      if (mark) return [{ type: 'MarkCorrected', studentId, status, was: past(mark), by: by.id, at, reason }]
      // It has ended since the roster was looked at: whoever enrolled meanwhile must not count.
      if (command.courseSeq !== state.context.courseSeq) return refuse('busy')
      if (!command.enrolled) return refuse('not-enrolled')
      if (countOf(marks) >= MAX_MARKS) return refuse('session-full', { most: String(MAX_MARKS) })
      if (!active) return [{ type: 'MarkCorrected', studentId, status, was: null, by: by.id, at, reason }]
      return [{ type: 'StudentMarked', studentId, status, via: 'teacher', by: by.id, at, reason }]
    }
    case 'EndAttendance': {
      const no = notInCharge(command.teaches, by)
      if (no) return no
      if (isCalledOff) return refuse('session-called-off')
      if (state.matches('ended')) return []
      if (!active) return end(state, command.roster, { reason: 'overrun', by: null, byName: null, at: dueAt })
      return end(state, command.roster, { reason: 'ended', by: by.id, byName: command.byName, at })
    }
    case 'CallOffAttendance': {
      const no = notInCharge(command.teaches, by)
      if (no) return no
      return isCalledOff ? [] : [{ type: 'AttendanceCalledOff', by: by.id, byName: command.byName, at }]
    }
    case 'EndOverdueAttendance':
      if (!state.matches('active') || active) return []
      return end(state, command.roster, { reason: 'overrun', by: null, byName: null, at: dueAt })

    default:
      return unreachable(command)
  }
}

function start(command: AttendanceCommand & { readonly type: 'StartAttendance' }): readonly AttendanceEvent[] {
  const { by, at, courseId, teacherName, plannedMinutes, overrunMinutes, checkIn, lateAfterMinutes, secret } = command
  const dueAt = at + (plannedMinutes + overrunMinutes) * MINUTE_MS
  const plan = { courseId, teacherId: by.id, teacherName, plannedMinutes, checkIn, lateAfterMinutes }
  return [{ type: 'AttendanceStarted', org: by.org, ...plan, secret, at, dueAt }]
}

function notInCharge(teaches: boolean, { role }: Party): Refusal | null {
  if (role === 'admin' || (role === 'teacher' && teaches)) return null
  return role === 'teacher' ? refuse('own-course-only') : refuse('teachers-only')
}

const past = ({ status, by, at }: Mark) => ({ status, by, at })

type Ending = Pick<Extract<AttendanceEvent, { type: 'AttendanceEnded' }>, 'reason' | 'by' | 'byName' | 'at'>

function end(
  { context }: AttendanceState,
  { courseSeq, students }: Roster,
  ending: Ending,
): readonly AttendanceEvent[] {
  const enrolled = new Set(students)
  let present = 0
  const strangers: string[] = []
  for (const mark of allMarks(context.marks)) {
    if (!enrolled.has(mark.studentId)) strangers.push(mark.studentId)
    else if (isPresent(mark)) present++
  }
  return [{ type: 'AttendanceEnded', ...ending, total: enrolled.size, present, courseSeq, strangers: strangers.sort() }]
}
