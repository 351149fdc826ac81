import { isOf, streamName } from '../../../machines/stream.ts'
import { foldStream } from '../../log/fold-stream.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { inPortions } from '../../log/portions.ts'

/** Who was enrolled in a course when, by the revisions of its stream. */
export interface Enrolments {
  /** Whether a student was, as of the event with this revision. */
  of(studentId: string): (seq: number) => boolean
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

/** From the log alone. */
export async function enrolmentsOf(log: Log, courseId: string): Promise<Enrolments> {
  const folded = await foldStream<Stays>(log, streamName('course', courseId), enrol)
  const stays = folded?.state ?? new Map<string, Stay[]>()
  return {
    ever: () => [...stays.keys()],
    of(studentId) {
      const theirs = stays.get(studentId) ?? []
      return (seq) => theirs.some(({ from, until = Number.POSITIVE_INFINITY }) => from <= seq && seq < until)
    },
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

/**
 * Who was enrolled as of the course's event `seq`, by who is at another one, `course.seq`: only what was recorded
 * between them is read, which after the end of a session is little or nothing.
 */
export async function enrolledAt(
  log: Log,
  course: { readonly id: string; readonly seq: number; readonly students: readonly string[] },
  seq: number,
): Promise<(studentId: string) => boolean> {
  const isBefore = seq < course.seq
  const between = { from: Math.min(seq, course.seq) + 1, limit: Math.abs(course.seq - seq) }
  const changed = new Map<string, boolean>()
  for await (const batch of inPortions(log, streamName('course', course.id), between))
    for (const recorded of batch) {
      if (!isOf('course', recorded)) continue
      const { event } = recorded
      if (event.type !== 'StudentEnrolled' && event.type !== 'StudentUnenrolled') continue
      const enrols = event.type === 'StudentEnrolled'
      // Before what was the first to happen to them it was the other way round.
      if (!isBefore) changed.set(event.studentId, enrols)
      else if (!changed.has(event.studentId)) changed.set(event.studentId, !enrols)
    }
  const enrolled = new Set(course.students)
  return (studentId) => changed.get(studentId) ?? enrolled.has(studentId)
}
