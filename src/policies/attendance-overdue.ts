import type { AttendanceEvent } from '../../machines/attendance/events.ts'
import { Refusal } from '../../machines/kernel.ts'
import { ATTENDANCE_STREAM } from '../../projections/attendance-sessions.ts'
import type { Told } from '../../projections/projection.ts'
import type { Clock, Timer } from '../clock.ts'
import type { AttendanceDesk } from '../delivery/attendance-desk.ts'
import { atMost } from '../presence/in-turn.ts'
import type { Rooms } from '../runtime/rooms.ts'

export interface OverdueAttendanceOptions {
  readonly sessions: AttendanceDesk
  readonly rooms: Pick<Rooms, 'ask' | 'look'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

interface Due {
  readonly id: string
  readonly org: string
  readonly courseId: string
}

const AGAIN_MS = 1_000
/** After a night without a server many are due, and each reads its course. */
const AT_ONCE = 16

/**
 * Ends the attendance sessions that nobody has ended, as of their due time. One timer for the earliest; what is due is read from the desk each time,
 * so the timer holds no history, and what became due while no server was there is ended at the start. Every node does it: a session ends once.
 */
export function overdueAttendance({ sessions, rooms, clock, onError }: OverdueAttendanceOptions) {
  const ending = new Set<string>()
  let next = Number.POSITIVE_INFINITY
  let timer: Timer | undefined
  let stopped = false

  const lookBy = (at: number): void => {
    if (stopped || at >= next) return
    next = at
    timer?.cancel()
    timer = clock.after(at - clock.now(), look)
  }

  const look = (): void => {
    next = Number.POSITIVE_INFINITY
    const now = clock.now()
    const due: Due[] = []
    for (const { id, row } of sessions.all()) {
      if (row.dueAt > now) lookBy(row.dueAt)
      else if (!ending.has(id)) due.push({ id, org: row.org, courseId: row.courseId })
    }
    for (const { id } of due) ending.add(id)
    void atMost(AT_ONCE, due, end) // does not reject
  }

  const end = async ({ id, org, courseId }: Due): Promise<void> => {
    const by = { id: 'overdue-attendance', org, role: 'system' } as const
    try {
      const { revision: courseSeq, state } = await rooms.look('course', courseId)
      const roster = { courseSeq, students: state.context.students }
      const answer = await rooms.ask('attendance', id, { type: 'EndOverdueAttendance', roster, by, at: clock.now() })
      if (answer instanceof Refusal) throw new Error(`attendance session ${id} is overdue and could not be ended: ${answer.code}`)
    } catch (error) {
      onError(error)
    }
    ending.delete(id)
    lookBy(clock.now() + AGAIN_MS) // the desk hears of it in a moment; if not, once more
  }

  return {
    /** Once, when the desk is live. */
    start: look,
    heard({ stream, event }: Told): void {
      if (!stream.startsWith(ATTENDANCE_STREAM)) return
      const its = event as AttendanceEvent // by its stream
      if (its.type === 'AttendanceStarted') lookBy(its.dueAt)
    },
    stop(): void {
      stopped = true
      timer?.cancel()
    },
  }
}
