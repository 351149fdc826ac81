import type { Recorded } from '../../../machines/kernel.ts'
import {
  ATTENDANCE_STREAM,
  type AttendanceSessionRow,
  attendanceSessions,
} from '../../../projections/attendance-sessions.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Log } from '../../log/log.ts'
import type { SessionThen } from './notices.ts'

/** What an event has changed for those who watch the course. */
export interface Moved {
  readonly session: SessionThen
  readonly change: 'started' | 'counted' | 'ended' | 'nothing'
}

interface Course {
  readonly active: Map<string, SessionThen>
  newest: { readonly position: bigint; readonly ref: EventRef }
}

/**
 * Corrections of a session that has ended come long afterwards; of so many it is remembered that they are none of the
 * desk's business.
 */
const KNOWN_ENDED = 10_000

/**
 * The sessions that are active, by course, folded from the log by the same pure projection as the view: what
 * subscribers are told, on subscribing and afterwards, is made from it between two events, without waiting, so that the
 * two cannot disagree. A session that has ended is let go of.
 */
export class AttendanceDesk {
  readonly #log: Log
  readonly #active = new Map<string, SessionThen>()
  readonly #courses = new Map<string, Course>()
  readonly #ended = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  all(): IterableIterator<SessionThen> {
    return this.#active.values()
  }

  activeIn(course: string): Iterable<SessionThen> {
    return this.#courses.get(course)?.active.values() ?? []
  }

  /**
   * Where the newest event stands that this node has heard from the course's sessions; undefined when it has heard
   * none.
   */
  newest(course: string): EventRef | undefined {
    return this.#courses.get(course)?.newest.ref
  }

  /** True for an event of a session that is perhaps active and not here: `recall` it first. */
  lacks({ stream, revision }: Recorded): boolean {
    if (!stream.startsWith(ATTENDANCE_STREAM) || revision === 0) return false
    const id = stream.slice(ATTENDANCE_STREAM.length)
    return !this.#active.has(id) && !this.#ended.has(id)
  }

  /**
   * Puts a session here as the view has it: not more than its events up to `row.seq`, which the log tells again
   * harmlessly.
   */
  async seed(id: string, row: AttendanceSessionRow): Promise<void> {
    for await (const [last] of this.#log.read(ATTENDANCE_STREAM + id, { from: row.seq, limit: 1 }))
      if (last) this.#put(id, row, last)
  }

  /** Makes a session as it was after `seq` from its stream. */
  async recall(id: string, seq: number): Promise<void> {
    let row: AttendanceSessionRow | undefined
    let last: Recorded | undefined
    for await (const batch of this.#log.read(ATTENDANCE_STREAM + id, { limit: seq + 1 })) {
      for (const recorded of batch) row = attendanceSessions.fold(row, recorded)
      last = batch.at(-1) ?? last
    }
    if (row && last && !this.#active.has(id)) this.#put(id, row, last)
  }

  /** Moves the session of this event; undefined when the event is no news here. */
  move(recorded: Recorded): Moved | undefined {
    if (!recorded.stream.startsWith(ATTENDANCE_STREAM)) return undefined
    const id = recorded.stream.slice(ATTENDANCE_STREAM.length)
    if (this.#ended.has(id)) return undefined
    const before = this.#active.get(id)?.row
    if (before ? recorded.revision <= before.seq : recorded.revision > 0) return undefined
    const row = attendanceSessions.fold(before, recorded)
    if (!row) return undefined
    const session = this.#put(id, row, recorded)
    return { session, change: changeOf(before, row) }
  }

  #put(id: string, row: AttendanceSessionRow, recorded: Recorded): SessionThen {
    const session = { id, row, ref: eventRef(recorded) }
    const newest = { position: recorded.position, ref: session.ref }
    const course = this.#courses.get(row.courseId) ?? { active: new Map(), newest }
    this.#courses.set(row.courseId, course)
    if (newest.position > course.newest.position) course.newest = newest
    if (row.state === 'active') {
      this.#active.set(id, session)
      course.active.set(id, session)
    } else {
      this.#active.delete(id)
      course.active.delete(id)
      this.#forget(id)
    }
    return session
  }

  #forget(id: string): void {
    this.#ended.add(id)
    keepNewest(this.#ended, KNOWN_ENDED)
  }
}

function changeOf(before: AttendanceSessionRow | undefined, after: AttendanceSessionRow): Moved['change'] {
  if (!before) return 'started'
  if (after.state === 'ended') return 'ended'
  return before.present === after.present ? 'nothing' : 'counted'
}
