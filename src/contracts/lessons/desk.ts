import type { Recorded } from '../../../machines/kernel.ts'
import type { LessonEvent } from '../../../machines/lesson/events.ts'
import { isPresent } from '../../../projections/lesson-participants.ts'
import { LESSON_STREAM } from '../../../projections/lessons.ts'
import type { Log } from '../../log/log.ts'
import { LessonRecord, lessonAt } from './record.ts'

/**
 * The lessons that are scheduled or live, folded from the log as this node hears it: pushes, what a joiner is told, and
 * the policies all look here. A lesson that has ended is let go of.
 */
export class LessonDesk {
  readonly #log: Log
  readonly #open = new Map<string, LessonRecord>()
  /** `<home>.<participant>` -> lessons in which they are now. */
  readonly #seats = new Map<string, Set<string>>()

  constructor(log: Log) {
    this.#log = log
  }

  /** An open lesson, undefined otherwise. */
  get(id: string): LessonRecord | undefined {
    return this.#open.get(id)
  }

  all(): IterableIterator<LessonRecord> {
    return this.#open.values()
  }

  /** Open lessons in which this person is now. */
  lessonsOf(home: string, id: string): readonly string[] {
    return [...(this.#seats.get(`${home}.${id}`) ?? [])]
  }

  /** True for an event of an open lesson that is not here yet: `recall` it first. */
  lacks({ stream, revision }: Recorded): boolean {
    return stream.startsWith(LESSON_STREAM) && revision > 0 && !this.#open.has(stream.slice(LESSON_STREAM.length))
  }

  /** Makes a lesson as it was after `seq` (default: now) from its stream. */
  async recall(id: string, seq?: number): Promise<void> {
    const record = await lessonAt(this.#log, id, seq)
    if (!record?.row || record.row.status === 'ended' || this.#open.has(id)) return
    this.#open.set(id, record)
    for (const person of record.present()) this.#seat(`${person.home}.${person.id}`, id)
  }

  /** Moves the lesson of this event and gives it; undefined when the event is no news here, or none of a lesson's. */
  move(recorded: Recorded): LessonRecord | undefined {
    if (!recorded.stream.startsWith(LESSON_STREAM)) return undefined
    const id = recorded.stream.slice(LESSON_STREAM.length)
    const record = this.#open.get(id) ?? (recorded.revision === 0 ? new LessonRecord(id) : undefined)
    if (!record?.move(recorded as Recorded<LessonEvent>)) return undefined // by its stream a lesson's
    this.#open.set(id, record)
    const { event } = recorded as Recorded<LessonEvent>
    if (event.type === 'LessonEnded') this.#close(record)
    else if ('participantId' in event) {
      const person = record.people.get(event.participantId)
      const name = `${person?.home}.${event.participantId}`
      if (person && isPresent(person)) this.#seat(name, id)
      else this.#unseat(name, id)
    }
    return record
  }

  #close(record: LessonRecord): void {
    this.#open.delete(record.id)
    for (const { home, id } of record.people.values()) this.#unseat(`${home}.${id}`, record.id)
  }

  #seat(person: string, lesson: string): void {
    const seats = this.#seats.get(person)
    if (seats) seats.add(lesson)
    else this.#seats.set(person, new Set([lesson]))
  }

  #unseat(person: string, lesson: string): void {
    const seats = this.#seats.get(person)
    seats?.delete(lesson)
    if (seats?.size === 0) this.#seats.delete(person)
  }
}
