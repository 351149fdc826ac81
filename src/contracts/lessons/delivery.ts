import type { Recorded } from '../../../machines/kernel.ts'
import type { LessonEvent } from '../../../machines/lesson/events.ts'
import { LESSON_STREAM } from '../../../projections/lessons.ts'
import type { Clock, Timer } from '../../clock.ts'
import { eventRef } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { LessonDesk } from './desk.ts'
import { type LessonNews, lessonNotice, participantIn } from './notices.ts'
import { nextRun, PACE_MS } from './pace.ts'
import type { LessonRecord } from './record.ts'
import { type LessonState, lessonState } from './wire.ts'

/**
 * Tells those in a lesson what happens in it: a part of the fanout, which gives it every event in the order of the log.
 */
export interface LessonDelivery {
  readonly desk: LessonDesk
  /** True when `recall` has to come before `hear`. */
  lacks(recorded: Recorded): boolean
  recall(recorded: Recorded): Promise<void>
  /** Moves the desk; and, when `live`, tells who is to be told. */
  hear(recorded: Recorded, live: boolean): void
  /** Somebody has come to the door: they are told the lesson's state in a moment, and are in. */
  knock(lesson: string): void
  stop(): void
}

interface Queue {
  waiting: LessonNews[]
  /** Somebody stands at the door. */
  door: boolean
  timer: Timer | undefined
}

export interface LessonDeliveryOptions {
  readonly desk: LessonDesk
  readonly outlet: Outlet
  readonly clock: Clock
}

export function lessonDelivery({ desk, outlet, clock }: LessonDeliveryOptions): LessonDelivery {
  /** Of lessons that were told something less than a moment ago. */
  const queues = new Map<string, Queue>()

  const push = (news: readonly LessonNews[]): void => {
    const notice = lessonNotice(news)
    if (notice) outlet.push(notice.to, notice.name, notice.data)
  }

  const queueOf = (lesson: string): Queue => {
    const queue = queues.get(lesson) ?? { waiting: [], door: false, timer: undefined }
    queues.set(lesson, queue)
    return queue
  }

  /**
   * Those at the door are told together: a class that comes at once is told of itself a few times, not each of
   * everybody.
   */
  const open = (record: LessonRecord | undefined, queue: Queue): void => {
    queue.door = false
    if (!record) return
    outlet.push({ kind: 'door', lesson: record.id }, 'lesson_state', stateOf(record))
    outlet.admit(record.id)
  }

  /** Pushes until the pace asks for a pause. */
  const flush = (lesson: string, queue: Queue): void => {
    while ((queue.waiting.length > 0 || queue.door) && queue.timer === undefined) {
      const opened = queue.door
      if (opened) open(desk.get(lesson), queue)
      const { news, rest } = nextRun(queue.waiting)
      queue.waiting = rest
      push(news)
      const [first] = news
      if (first?.recorded.event.type === 'LessonEnded') outlet.empty(lesson)
      if (!opened && !first?.who) continue
      queue.timer = clock.after(PACE_MS, () => {
        queue.timer = undefined
        flush(lesson, queue)
      })
    }
    if (queue.timer === undefined) queues.delete(lesson)
  }

  const seat = (news: LessonNews, queue: Queue): void => {
    const { who, lesson, recorded } = news
    if (who === null) return
    if (recorded.event.type === 'ParticipantJoined') {
      outlet.enter(who.home, who.id, lesson)
      queue.door = true
    } else if (recorded.event.type === 'ParticipantLeft') {
      // They hear of it at once, on all their devices, and of nothing after it.
      outlet.leave(who.home, who.id, lesson)
      const notice = lessonNotice([news])
      if (notice) outlet.push({ kind: 'person', org: who.home, id: who.id }, notice.name, notice.data)
    }
  }

  return {
    desk,
    lacks: (recorded) => desk.lacks(recorded),
    recall: ({ stream, revision }) => desk.recall(stream.slice(LESSON_STREAM.length), revision - 1),
    hear(recorded, live) {
      const record = desk.move(recorded)
      if (!record || !live) return
      const its = recorded as Recorded<LessonEvent> // the desk moves by nothing else
      if (its.event.type === 'LessonScheduled' || 'hubId' in its.event) return // nobody is told
      const participant = participantIn(its)
      const who = participant === null ? null : (record.people.get(participant) ?? null)
      const news = { lesson: record.id, recorded: its, who }
      const queue = queueOf(record.id)
      seat(news, queue)
      if (its.event.type === 'LessonEnded' && queue.door) open(record, queue) // the desk has let go of it
      queue.waiting.push(news)
      flush(record.id, queue)
    },
    knock(lesson) {
      const queue = queueOf(lesson)
      queue.door = true
      flush(lesson, queue)
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}

function stateOf(record: LessonRecord): LessonState {
  const { id, row, last } = record
  if (!row || !last) throw new Error(`the state of lesson ${id} was asked for before its first event`)
  return lessonState(id, row, record.present(), eventRef(last))
}
