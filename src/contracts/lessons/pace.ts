import type { Clock } from '../../clock.ts'
import type { Pace } from '../../delivery/feed.ts'
import { mergedPace } from '../../delivery/merged-pace.ts'
import { eventRef, personRoom } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import { lessonRoom, toWaiting, waitingRoom } from './audiences.ts'
import type { LessonChange, LessonsModel } from './lessons-model.ts'
import { mergedNotice } from './notices.ts'
import type { LessonRecord } from './record.ts'
import { type LessonState, lessonState } from './wire.ts'

/** At least so long between two pushes about participants of one lesson: no more than ten in any second. */
const PACE_MS = 110

export interface LessonPaceOptions {
  readonly lessons: Pick<LessonsModel, 'get'>
  readonly outlet: Outlet
  readonly clock: Clock
}

/**
 * Who has just come waits until the pace allows a push, is told how the lesson stands together with all who wait there,
 * and is in: a class that comes at once is told of itself a few times, and not each of everybody.
 */
export interface LessonPace extends Pace<LessonChange> {
  /** Somebody has entered the lesson's waiting room. */
  onWaiting(lesson: string): void
}

export function lessonPace({ lessons, outlet, clock }: LessonPaceOptions): LessonPace {
  /** Lessons in whose waiting room somebody is, by the lesson's room: also one that has ended meanwhile. */
  const withWaiting = new Map<string, LessonRecord>()

  const admit = (room: string): boolean => {
    const record = withWaiting.get(room)
    withWaiting.delete(room)
    if (!record) return false
    const { id } = record
    outlet.push(toWaiting(id), 'lesson_state', stateOf(record))
    outlet.join(waitingRoom(id), lessonRoom(id))
    outlet.leave(waitingRoom(id), [waitingRoom(id)])
    return true
  }

  const merged = mergedPace({
    outlet,
    clock,
    kind: 'lesson',
    pauseMs: PACE_MS,
    merge: mergedNotice,
    ahead: admit,
    onSent({ name, to: { room } }) {
      if (name === 'lesson_ended') outlet.leave(room, [room]) // nobody is in any more
    },
  })

  const wait = (record: LessonRecord): void => {
    withWaiting.set(lessonRoom(record.id), record)
    merged.mark(lessonRoom(record.id))
  }

  const move = ({ record, recorded: { event }, who }: LessonChange): void => {
    if (who === null) return
    const person = personRoom({ org: who.home, id: who.id })
    if (event.type === 'ParticipantJoined') {
      outlet.join(person, waitingRoom(record.id))
      wait(record)
    } else if (event.type === 'ParticipantLeft') outlet.leave(person, [lessonRoom(record.id), waitingRoom(record.id)])
  }

  return {
    push(notices, change) {
      move(change)
      merged.push(notices, change)
    },
    onWaiting(lesson) {
      const record = lessons.get(lesson)
      if (!record) return
      wait(record)
      merged.flush(lessonRoom(lesson))
    },
    stop: () => merged.stop(),
  }
}

function stateOf(record: LessonRecord): LessonState {
  const { id, row, last } = record
  if (!row || !last) throw new Error(`the state of lesson ${id} was asked for before its first event`)
  return lessonState(id, row, record.present(), eventRef(last))
}
