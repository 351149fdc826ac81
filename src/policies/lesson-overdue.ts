import { Refusal } from '../../machines/kernel.ts'
import type { LostParticipant } from '../../machines/lesson/commands.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { LESSON_STREAM } from '../../projections/lessons.ts'
import type { Told } from '../../projections/projection.ts'
import type { Clock, Timer } from '../clock.ts'
import type { LessonDesk } from '../delivery/lesson-desk.ts'
import type { LessonRecord } from '../delivery/lesson-record.ts'
import type { Rooms } from '../runtime/rooms.ts'

export interface OverdueLessonsOptions {
  readonly lessons: LessonDesk
  readonly rooms: Pick<Rooms, 'ask'>
  readonly lost: (record: LessonRecord) => readonly LostParticipant[]
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

const AGAIN_MS = 1_000

/**
 * Ends what nobody has ended, at its due time. One timer for the earliest; what is due is read from the desk each time, so the timer holds no
 * history, and what became due while no server was there is ended at the start, as of when it was due. Every node does it: a lesson ends once.
 */
export function overdueLessons({ lessons, rooms, lost, clock, onError }: OverdueLessonsOptions) {
  let next = Number.POSITIVE_INFINITY
  let timer: Timer | undefined
  let stopped = false

  const lookBy = (at: number): void => {
    if (stopped || at >= next) return
    next = at
    timer?.cancel()
    timer = clock.after(at - clock.now(), () => void look()) // does not reject
  }

  const look = (): Promise<unknown> => {
    next = Number.POSITIVE_INFINITY
    const now = clock.now()
    const ending: Promise<void>[] = []
    for (const record of lessons.all()) {
      const { row } = record
      if (row?.status !== 'live' || row.dueAt === null) continue
      if (row.dueAt <= now) {
        ending.push(end(record, row.org, now)) // does not reject
        lookBy(now + AGAIN_MS) // the desk hears of it in a moment; if not, once more
      } else lookBy(row.dueAt)
    }
    return Promise.all(ending)
  }

  const end = async (record: LessonRecord, org: string, at: number): Promise<void> => {
    const by = { id: 'overdue-lessons', org, role: 'system' } as const
    try {
      const answer = await rooms.ask('lesson', record.id, { type: 'EndOverdueLesson', lost: lost(record), by, at })
      if (answer instanceof Refusal) throw new Error(`lesson ${record.id} is overdue and could not be ended: ${answer.code}`)
    } catch (error) {
      onError(error)
    }
  }

  return {
    /** Once, when the desk is live. Resolves when what was due has ended. */
    start: look,
    heard({ stream, event }: Told): void {
      if (!stream.startsWith(LESSON_STREAM)) return
      const its = event as LessonEvent // by its stream
      if (its.type === 'LessonStarted') lookBy(its.dueAt)
    },
    stop(): void {
      stopped = true
      timer?.cancel()
    },
  }
}
