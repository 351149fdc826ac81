import type { Clock, Timer } from '../../clock.ts'
import type { EventRef, Notice } from '../../delivery/notice.ts'
import type { AttendanceWire } from './wire.ts'

/** No course gets more pushes than this within `WINDOW_MS`: a second, and what a network may press together. */
const MAX_PUSHES = 5
export const WINDOW_MS = 1_050
/**
 * At least so long between two `activeSessionsData` of one course: three in any second, and room for a start and an end
 * beside them.
 */
export const DATA_PACE_MS = 350

export interface CoursePaceOptions {
  readonly clock: Clock
  readonly push: (notice: Notice<AttendanceWire>) => void
  /** How a course's sessions stand at the moment of asking; `place` = where the newest event stands. */
  readonly dataOf: (course: string, ref: EventRef) => Notice<AttendanceWire>
}

/** Tells each course at once what is new, as long as it does not come too thick. */
export interface CoursePace {
  /**
   * A notice (each goes out, in order), and after it how the sessions stand (the last one always goes out, and is the
   * truth then).
   */
  tell(course: string, notice: Notice<AttendanceWire> | undefined, ref: EventRef): void
  stop(): void
}

interface Queue {
  readonly notices: Notice<AttendanceWire>[]
  /** There is something that was not told yet; null = what was told last is how it stands. */
  stale: EventRef | null
  /** When the last pushes went out, oldest first. */
  sent: number[]
  dataAt: number
  timer: Timer | undefined
}

export function coursePace({ clock, push, dataOf }: CoursePaceOptions): CoursePace {
  /** Of courses that were told something less than a moment ago. */
  const queues = new Map<string, Queue>()

  const flush = (course: string, queue: Queue): void => {
    queue.timer = undefined
    for (;;) {
      const now = clock.now()
      queue.sent = queue.sent.filter((at) => now - at < WINDOW_MS)
      const at = nextAt(queue)
      if (at === null) return void queues.delete(course)
      if (at > now || (queue.notices.length === 0 && queue.stale === null)) {
        queue.timer = clock.after(at - now, () => flush(course, queue))
        return
      }
      const notice = queue.notices.shift()
      if (notice) push(notice)
      else if (queue.stale) {
        const ref = queue.stale
        queue.stale = null
        queue.dataAt = now
        push(dataOf(course, ref))
      }
      queue.sent.push(now)
    }
  }

  return {
    tell(course, notice, ref) {
      const queue = queues.get(course) ?? {
        notices: [],
        stale: null,
        sent: [],
        dataAt: Number.NEGATIVE_INFINITY,
        timer: undefined,
      }
      queues.set(course, queue)
      if (notice) queue.notices.push(notice)
      queue.stale = ref
      queue.timer?.cancel()
      flush(course, queue)
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}

/** When something may go out next, or when there is nothing left to remember; null = nothing is. */
function nextAt({ notices, stale, sent, dataAt }: Queue): number | null {
  const [oldest] = sent
  const allowed = sent.length < MAX_PUSHES || oldest === undefined ? 0 : oldest + WINDOW_MS
  if (notices.length > 0) return allowed
  if (stale !== null) return Math.max(allowed, dataAt + DATA_PACE_MS)
  const last = sent.at(-1)
  return last === undefined ? null : last + WINDOW_MS
}
