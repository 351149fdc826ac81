import { type Recorded, Refusal } from '../../../machines/kernel.ts'
import { isOf } from '../../../machines/stream.ts'
import type { AttendanceSessionRow } from '../../../projections/attendance-sessions.ts'
import type { Clock } from '../../clock.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { type Due, type Overdue, overdue } from '../../runtime/overdue.ts'

export interface OverdueAttendanceOptions {
  readonly sessions: LiveModel<AttendanceSessionRow>
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

interface DueSession extends Due {
  readonly org: string
  readonly courseId: string
}

/**
 * Ends the attendance sessions that nobody has ended, as of their due time, with the roster that the course has then.
 */
export function overdueAttendance({ sessions, entities, clock, onError }: OverdueAttendanceOptions): Overdue {
  function* open(): Generator<DueSession> {
    for (const [id, { dueAt, org, courseId }] of sessions.entries()) yield { id, dueAt, org, courseId }
  }

  const end = async ({ id, org, courseId }: DueSession): Promise<'ended' | 'damaged'> => {
    const by = { id: 'overdue-attendance', org, role: 'system' } as const
    const { revision: courseSeq, state } = await entities.state('course', courseId)
    const roster = { courseSeq, students: state.context.students }
    const answer = await entities.ask('attendance', id, { type: 'EndOverdueAttendance', roster, by, at: clock.now() })
    if (isDamaged(answer)) return 'damaged'
    if (answer instanceof Refusal)
      throw new Error(`attendance session ${id} is overdue and could not be ended: ${answer.code}`)
    return 'ended'
  }

  return overdue({ open, end, dueBy, clock, onError })
}

const dueBy = (recorded: Recorded): number | null =>
  isOf('attendance', recorded) && recorded.event.type === 'AttendanceStarted' ? recorded.event.dueAt : null
