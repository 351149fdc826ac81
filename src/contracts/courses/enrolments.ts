import type { CourseEvent } from '../../../machines/course/events.ts'
import { COURSE_STREAM } from '../../../projections/courses.ts'
import type { Log, Recorded } from '../../log/log.ts'

/** Who was enrolled in a course when, by the revisions of its stream. */
export interface Enrolments {
  /** As of the event with this revision. */
  had(studentId: string, seq: number): boolean
  /** Everybody who ever was. */
  ever(): readonly string[]
  /** Everybody who is enrolled after the last event, in the order of their (last) enrolment. */
  now(): readonly string[]
}

/** `until` exclusive; undefined = still enrolled. */
interface Stay {
  readonly from: number
  until?: number
}

/** From the log alone, as far as the course's event `upTo` (default: its last). */
export async function enrolmentsOf(log: Log, courseId: string, upTo?: number): Promise<Enrolments> {
  const stays = new Map<string, Stay[]>()
  for await (const batch of log.read(COURSE_STREAM + courseId, upTo === undefined ? {} : { limit: upTo + 1 })) {
    for (const { event, revision } of batch as readonly Recorded<CourseEvent>[]) {
      if (event.type === 'StudentEnrolled') {
        const before = stays.get(event.studentId)
        stays.delete(event.studentId) // to the end of the order
        stays.set(event.studentId, [...(before ?? []), { from: revision }])
      } else if (event.type === 'StudentUnenrolled') {
        const last = stays.get(event.studentId)?.at(-1)
        if (last) last.until = revision
      }
    }
  }
  return {
    ever: () => [...stays.keys()],
    had: (studentId, seq) =>
      stays.get(studentId)?.some(({ from, until = Number.POSITIVE_INFINITY }) => from <= seq && seq < until) ?? false,
    now: () => [...stays].flatMap(([id, theirs]) => (theirs.at(-1)?.until === undefined ? [id] : [])),
  }
}
