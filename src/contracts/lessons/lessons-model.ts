import type { Recorded } from '../../../machines/kernel.ts'
import type { LessonEvent } from '../../../machines/lesson/events.ts'
import { idIn, isOf, type PersonRef, personName } from '../../../machines/stream.ts'
import { isPresent, type Participant } from '../../../projections/lesson-participants.ts'
import { lessons } from '../../../projections/lessons.ts'
import type { Model } from '../../delivery/feed.ts'
import { MemoryLists } from '../../delivery/memory-lists.ts'
import { seedFrom } from '../../delivery/seed.ts'
import type { FoldHistory } from '../../log/fold-history.ts'
import { type Checkpoint, type Log, LogUnavailable } from '../../log/log.ts'
import type { ViewStore } from '../../views/store.ts'
import { LessonRecord, lessonAt } from './record.ts'

/** A lesson after one of its events. */
export interface LessonChange {
  /** Moves on with the next event: whoever needs it as it is takes what they need before they wait. */
  readonly record: LessonRecord
  readonly recorded: Recorded<LessonEvent>
  /** Whose event it is, as they are after it; null for the lesson's own. */
  readonly who: Participant | null
}

/**
 * The lessons that are scheduled or live, folded from the log as this node hears it: notices, what a joiner is told,
 * and the policies all look here. A lesson that has ended is let go of. It keeps who is in a lesson besides the
 * lesson's row, and moves one participant for each event, however many there are: that is why it is no `LiveModel` of
 * rows.
 */
export class LessonsModel implements Model<LessonChange> {
  readonly category = 'lesson'
  readonly #log: Log
  readonly #history: FoldHistory<LessonRecord> | undefined
  readonly #open = new Map<string, LessonRecord>()
  /** By `<home>.<participant>`: the lessons in which they are now. */
  readonly #seats = new MemoryLists<LessonRecord>()
  /** Likewise: the open lessons in which they were and are not now. */
  readonly #left = new MemoryLists<LessonRecord>()

  /** `history`: makes lessons as they were after late events. Default: from their beginning each time. */
  constructor(log: Log, history?: FoldHistory<LessonRecord>) {
    this.#log = log
    this.#history = history
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
    return [...this.#seats.rows(personName({ org: home, id })).keys()]
  }

  /** Open lessons that this person has left, the one that they left last at the end. */
  leftBy(home: string, id: string): readonly string[] {
    return [...this.#left.rows(personName({ org: home, id })).keys()]
  }

  isMissing({ stream, revision }: Recorded): boolean {
    const id = idIn(this.category, stream)
    return id !== null && revision > 0 && !this.#open.has(id)
  }

  async load({ stream, revision }: Recorded): Promise<void> {
    const id = idIn(this.category, stream) ?? ''
    if (this.#history) this.#put((await this.#history.at(stream, revision - 1))?.state)
    else await this.#read(id, revision - 1)
  }

  onEvent(recorded: Recorded): LessonChange | undefined {
    if (!isOf('lesson', recorded)) return undefined
    const id = idIn(this.category, recorded.stream) ?? ''
    const record = this.#open.get(id) ?? (recorded.revision === 0 ? new LessonRecord(id) : undefined)
    if (!record?.move(recorded)) return undefined
    this.#open.set(id, record)
    const { event } = recorded
    const who = 'participantId' in event ? (record.people.get(event.participantId) ?? null) : null
    if (event.type === 'LessonEnded') this.#close(record)
    else if (who) this.#seat(record, who)
    return { record, recorded, who }
  }

  async seed(store: ViewStore, log: Log, onError: (error: unknown) => void): Promise<Checkpoint | null> {
    const open = new Set<string>()
    const upTo = await seedFrom(store, log, lessons.name, ['open/'], (id) => open.add(id))
    if (upTo === null) return null
    for (const id of open) {
      try {
        await this.#read(id)
      } catch (error) {
        if (error instanceof LogUnavailable) throw error
        onError(error)
      }
    }
    return upTo
  }

  /** Makes a lesson as it was after its event `seq` (default: the last) from its stream. */
  async #read(id: string, seq?: number): Promise<void> {
    this.#put(await lessonAt(this.#log, id, seq))
  }

  #put(record: LessonRecord | undefined): void {
    if (!record?.row || record.row.status === 'ended' || this.#open.has(record.id)) return
    this.#open.set(record.id, record)
    for (const person of record.people.values()) this.#seat(record, person)
  }

  #close(record: LessonRecord): void {
    this.#open.delete(record.id)
    for (const person of record.people.values())
      for (const lists of [this.#seats, this.#left]) lists.move(record.id, [seatOf(person)], [], record)
  }

  #seat(record: LessonRecord, person: Participant): void {
    const seat = [seatOf(person)]
    const isIn = isPresent(person)
    this.#seats.move(record.id, seat, isIn ? seat : [], record)
    this.#left.move(record.id, seat, isIn ? [] : seat, record)
  }
}

const seatOf = ({ home, id }: Participant): string => personName({ org: home, id } satisfies PersonRef)
