import { type Recorded, Refusal } from '../../../machines/kernel.ts'
import type { LostParticipant } from '../../../machines/lesson/commands.ts'
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

/** Ends the lessons that nobody has ended, as of their due time. */
export function overdueLessons({ lessons, entities, lost, clock, onError }: OverdueLessonsOptions): Overdue {
  function* open(): Generator<DueLesson> {
    for (const record of lessons.all()) {
      const { id, row } = record
      if (row?.status === 'live' && row.dueAt !== null) yield { id, dueAt: row.dueAt, org: row.org, record }
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

  return overdue({ open, end, dueBy, clock, onError })
}

const dueBy = (recorded: Recorded): number | null =>
  isOf('lesson', recorded) && recorded.event.type === 'LessonStarted' ? recorded.event.dueAt : null
