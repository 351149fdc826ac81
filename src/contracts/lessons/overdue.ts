import { type Recorded, Refusal } from '../../../machines/kernel.ts'
import type { LostParticipant } from '../../../machines/lesson/commands.ts'
import { callOffAtOf } from '../../../machines/lesson/events.ts'
import { isOf } from '../../../machines/stream.ts'
import type { Clock } from '../../clock.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { type Due, type Overdue, overdue } from '../../runtime/overdue.ts'
import type { LessonsModel } from './lessons-model.ts'
import type { LessonRecord } from './record.ts'

export interface OverdueLessonsOptions {
  readonly lessons: LessonsModel
  readonly entities: Pick<Entities, 'ask'>
  readonly lost: (record: LessonRecord) => readonly LostParticipant[]
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

interface DueLesson extends Due {
  readonly org: string
  readonly record: LessonRecord
}

/**
 * Ends the lessons that nobody has ended, and calls off those that nobody has started, as of their due time. The start
 * does not wait for what is called off: after an upgrade that may be years of lessons, and nobody is present in them.
 */
export function overdueLessons({ lessons, entities, lost, clock, onError }: OverdueLessonsOptions): Overdue {
  const dueIn = (status: 'live' | 'scheduled') =>
    function* (): Generator<DueLesson> {
      for (const record of lessons.all()) {
        const { id, row } = record
        const dueAt = row?.status === status ? (row.dueAt ?? row.callOffAt) : null
        if (row && dueAt !== null) yield { id, dueAt, org: row.org, record }
      }
    }

  const end = async ({ id, org, record }: DueLesson): Promise<'ended' | 'damaged'> => {
    const by = { id: 'overdue-lessons', org, role: 'system' } as const
    const answer = await entities.ask('lesson', id, {
      type: 'EndOverdueLesson',
      lost: lost(record),
      by,
      at: clock.now(),
    })
    if (isDamaged(answer)) return 'damaged'
    if (answer instanceof Refusal) throw new Error(`lesson ${id} is overdue and could not be ended: ${answer.code}`)
    return 'ended'
  }

  const live = overdue({ open: dueIn('live'), end, dueBy: endBy, clock, onError })
  const scheduled = overdue({ open: dueIn('scheduled'), end, dueBy: callOffBy, clock, onError })
  return {
    async start() {
      void scheduled.start() // does not reject
      await live.start()
    },
    onEvent(recorded) {
      live.onEvent(recorded)
      scheduled.onEvent(recorded)
    },
    stop() {
      live.stop()
      scheduled.stop()
    },
  }
}

const endBy = (recorded: Recorded): number | null =>
  isOf('lesson', recorded) && recorded.event.type === 'LessonStarted' ? recorded.event.dueAt : null

function callOffBy(recorded: Recorded): number | null {
  if (!isOf('lesson', recorded)) return null
  const { event } = recorded
  if (event.type === 'LessonScheduled') return callOffAtOf(event)
  return event.type === 'LessonPlanChanged' ? event.callOffAt : null
}
