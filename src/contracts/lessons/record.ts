import type { Recorded } from '../../../machines/kernel.ts'
import type { LessonEvent } from '../../../machines/lesson/events.ts'
import { idIn, isOf, streamName } from '../../../machines/stream.ts'
import { attend, isPresent, type Participant } from '../../../projections/lesson-participants.ts'
import { type LessonRow, lessons } from '../../../projections/lessons.ts'
import { type FoldHistory, foldHistory } from '../../log/fold-history.ts'
import { foldStream } from '../../log/fold-stream.ts'
import type { Log } from '../../log/log.ts'

/**
 * One lesson folded event by event: its row and everybody who ever was in it. An event that it has seen already changes
 * nothing.
 */
export class LessonRecord {
  readonly id: string
  /** Everybody who was ever in, in the order of their first coming. */
  readonly people = new Map<string, Participant>()
  /** TeacherHubs that have looked on. */
  readonly hubs = new Set<string>()
  readonly #present = new Map<string, Participant>()
  #row: LessonRow | undefined
  #last: Recorded<LessonEvent> | undefined

  constructor(id: string) {
    this.id = id
  }

  /** Undefined before its first event. */
  get row(): LessonRow | undefined {
    return this.#row
  }

  /** The last event that it has seen. */
  get last(): Recorded<LessonEvent> | undefined {
    return this.#last
  }

  /** False when the event was seen before. */
  move(recorded: Recorded<LessonEvent>): boolean {
    if (recorded.revision <= (this.#row?.seq ?? -1)) return false
    this.#row = lessons.fold(this.#row, recorded)
    this.#last = recorded
    const { event } = recorded
    if ('participantId' in event) this.#attend(event.participantId, event)
    else if (event.type === 'HubJoined') this.hubs.add(event.hubId)
    else if (event.type === 'LessonEnded') for (const id of this.people.keys()) this.#attend(id, event)
    return true
  }

  /** Who is in, in the order of their last coming. */
  present(): Participant[] {
    return [...this.#present.values()]
  }

  copy(): LessonRecord {
    const copy = new LessonRecord(this.id)
    copy.#row = this.#row
    copy.#last = this.#last
    for (const hub of this.hubs) copy.hubs.add(hub)
    for (const [id, participant] of this.people) copy.people.set(id, participant)
    for (const [id, participant] of this.#present) copy.#present.set(id, participant)
    return copy
  }

  #attend(id: string, event: LessonEvent): void {
    const after = attend(this.people.get(id), event)
    if (!after) return
    this.people.set(id, after)
    if (isPresent(after)) this.#present.set(id, after)
    else this.#present.delete(id)
  }
}

/**
 * A lesson as it was after its event `seq` (default: the last), from the log alone; undefined when it has no such
 * event.
 */
export async function lessonAt(log: Log, id: string, seq?: number): Promise<LessonRecord | undefined> {
  return (await foldStream(log, streamName('lesson', id), fold, seq === undefined ? {} : { upTo: seq }))?.state
}

/** Lessons as they were, for those who ask about late events of long ones. */
export const lessonHistory = (log: Log): FoldHistory<LessonRecord> =>
  foldHistory({ log, fold, copy: (record) => record.copy(), weigh: ({ people }) => people.size })

function fold(record: LessonRecord | undefined, recorded: Recorded): LessonRecord {
  const moved = record ?? new LessonRecord(idIn('lesson', recorded.stream) ?? '')
  if (isOf('lesson', recorded)) moved.move(recorded)
  return moved
}
