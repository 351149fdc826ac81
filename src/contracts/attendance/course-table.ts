import { unreachable } from '../../../machines/kernel.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import { keepNewest } from '../../keep-newest.ts'
import { KeptFold } from '../../log/kept-fold.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { slice } from '../../slices.ts'
import { type Enrolments, enrolmentsOf } from '../courses/enrolments.ts'
import { type Column, codeOf, overlapping } from './cells.ts'

/** Some sessions of a course and everybody who was ever marked or enrolled, as they stood at one moment. */
export interface CourseTable {
  /** By their start, then by their id. None that was called off. */
  readonly columns: readonly Column[]
  readonly enrolments: Enrolments
  /** Everybody who has a mark, by their number in `Column.statuses`. */
  readonly marked: readonly string[]
  /** Undefined for whoever has no mark. */
  numberOf(student: string): number | undefined
}

export interface CourseTables {
  /** Null when nobody waits for it any more. */
  of(courseId: string, sessionIds: readonly string[], isGone: () => boolean): Promise<CourseTable | null>
}

/** What a session's events come to. `statuses` grows in place. */
interface Session {
  readonly startedAt: number
  readonly endsAt: number
  readonly ended: Column['ended']
  readonly isCalledOff: boolean
  readonly statuses: Uint8Array
}

/** A course that was looked at: a byte for each student and session. */
class KeptCourse {
  readonly numbers = new Map<string, number>()
  readonly marked: string[] = []
  readonly sessions = new Map<string, KeptFold<Session>>()

  /** As much as it weighs, more or less, in bytes. */
  weight(): number {
    let bytes = this.marked.length * 100
    for (const { state } of this.sessions.values()) bytes += 200 + (state?.statuses.length ?? 0)
    return bytes
  }

  numbered(student: string): number {
    const known = this.numbers.get(student)
    if (known !== undefined) return known
    this.numbers.set(student, this.marked.length)
    return this.marked.push(student) - 1
  }
}

/** Two terms of the largest courses, or all small ones of a school. */
const KEPT_BYTES = 16 * 1024 * 1024

/** Tables of courses from the log alone. What was read is kept, so that the next look reads what has come since. */
export function courseTables(log: Log, keptBytes = KEPT_BYTES): CourseTables {
  const kept = new Map<string, KeptCourse>()

  const forgetOldest = (): void => {
    let bytes = 0
    for (const course of kept.values()) bytes += course.weight()
    for (const [id, course] of kept) {
      if (bytes <= keptBytes) return
      bytes -= course.weight()
      kept.delete(id)
    }
  }

  return {
    async of(courseId, sessionIds, isGone) {
      const course = kept.get(courseId) ?? new KeptCourse()
      kept.delete(courseId) // to the end: the longest unused goes first
      kept.set(courseId, course)
      const found: (readonly [id: string, fold: KeptFold<Session>])[] = []
      for (const id of sessionIds) {
        const grow = (before: Session | undefined, recorded: Recorded) => grown(course, before, recorded)
        const fold = course.sessions.get(id) ?? new KeptFold(log, streamName('attendance', id), grow)
        course.sessions.delete(id)
        course.sessions.set(id, fold)
        found.push([id, fold])
        await fold.catchUp()
        const turn = slice()
        if (turn) await turn
        if (isGone()) return null
      }
      keepNewest(course.sessions, sessionIds.length + MAX_OTHERS)
      forgetOldest()
      const enrolments = await enrolmentsOf(log, courseId)
      const columns: Column[] = []
      // In one piece: all of it as it stands now.
      for (const [id, { state }] of found) {
        if (!state) throw new Error(`session ${id} is listed and has no events`)
        const { isCalledOff, statuses, ...rest } = state
        if (!isCalledOff) columns.push({ id, ...rest, statuses: statuses.slice(), overlapping: [] })
      }
      columns.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
      return {
        columns: overlapping(columns),
        enrolments,
        marked: course.marked.slice(),
        numberOf: (student) => course.numbers.get(student),
      }
    },
  }
}

/** Sessions of a course that were asked for before and not now. */
const MAX_OTHERS = 400

function grown(course: KeptCourse, before: Session | undefined, recorded: Recorded): Session | undefined {
  if (!isOf('attendance', recorded)) return before
  const { event } = recorded
  if (event.type === 'AttendanceStarted') {
    const endsAt = Number.POSITIVE_INFINITY
    return { startedAt: event.at, endsAt, ended: null, isCalledOff: false, statuses: new Uint8Array(64) }
  }
  if (!before) return before
  switch (event.type) {
    case 'StudentMarked':
    case 'MarkCorrected': {
      const number = course.numbered(event.studentId)
      const statuses = number < before.statuses.length ? before.statuses : longer(before.statuses, number)
      statuses[number] = codeOf(event.status)
      return statuses === before.statuses ? before : { ...before, statuses }
    }
    case 'AttendanceEnded': {
      const { at: endsAt, courseSeq, strangers } = event
      return { ...before, endsAt, ended: { courseSeq, strangers } }
    }
    case 'AttendanceCalledOff':
      return { ...before, isCalledOff: true }
    default:
      return unreachable(event)
  }
}

function longer(statuses: Uint8Array, number: number): Uint8Array {
  const more = new Uint8Array(Math.max(2 * statuses.length, number + 1))
  more.set(statuses)
  return more
}
