import { isOf, streamName } from '../../../machines/stream.ts'
import { foldStream } from '../../log/fold-stream.ts'
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

type Stays = Map<string, Stay[]>

/** From the log alone, as far as the course's event `upTo` (default: its last). */
export async function enrolmentsOf(log: Log, courseId: string, upTo?: number): Promise<Enrolments> {
  const options = upTo === undefined ? {} : { upTo }
  const folded = await foldStream<Stays>(log, streamName('course', courseId), enrol, options)
  const stays = folded?.state ?? new Map<string, Stay[]>()
  return {
    ever: () => [...stays.keys()],
    had: (studentId, seq) =>
      stays.get(studentId)?.some(({ from, until = Number.POSITIVE_INFINITY }) => from <= seq && seq < until) ?? false,
    now: () => [...stays].flatMap(([id, theirs]) => (theirs.at(-1)?.until === undefined ? [id] : [])),
  }
}

/** Moves `stays`, which nobody else sees before the fold is done. */
function enrol(stays: Stays = new Map(), recorded: Recorded): Stays {
  if (!isOf('course', recorded)) return stays
  const { event, revision } = recorded
  if (event.type === 'StudentEnrolled') {
    const before = stays.get(event.studentId) ?? []
    stays.delete(event.studentId) // to the end of the order
    stays.set(event.studentId, [...before, { from: revision }])
  } else if (event.type === 'StudentUnenrolled') {
    const last = stays.get(event.studentId)?.at(-1)
    if (last) last.until = revision
  }
  return stays
}
