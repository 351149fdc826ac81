import type { Clock, Timer } from '../clock.ts'
import type { Pace } from './feed.ts'
import type { Outlet } from './outlet.ts'
import type { PlacedNotice } from './placed-notice.ts'

export interface LatestPaceOptions {
  readonly outlet: Pick<Outlet, 'push' | 'holdsBack'>
  readonly clock: Clock
  /** No room gets more pushes than this within `windowMs`. */
  readonly maxPushes: number
  readonly windowMs: number
  /** At least so long between two `latest` notices of one room. */
  readonly latestEveryMs: number
}

interface Queue {
  readonly notices: PlacedNotice[]
  /** By name; a later one takes the place of an earlier one. */
  readonly latest: Map<string, PlacedNotice>
  /** When the last pushes went out, by elapsed time, oldest first. */
  sent: number[]
  latestAt: number
  timer: Timer | undefined
}

/**
 * Tells each room at once what is new, as long as that does not come too thick. Every notice goes out, in order; of
 * those that are `latest` only the newest, after the others: the last one always goes out, and its data is read then.
 */
export function latestPace(options: LatestPaceOptions): Pace<unknown> {
  const { outlet, clock, maxPushes, windowMs, latestEveryMs } = options
  /** Of rooms that were told something less than a moment ago. */
  const queues = new Map<string, Queue>()

  const flush = (room: string, queue: Queue): void => {
    queue.timer = undefined
    for (;;) {
      const now = clock.elapsed()
      queue.sent = queue.sent.filter((at) => now - at < windowMs)
      const at = nextAt(queue)
      if (at === null) return void queues.delete(room)
      if (at > now || (queue.notices.length === 0 && queue.latest.size === 0)) {
        queue.timer = clock.after(at - now, () => flush(room, queue))
        return
      }
      const told = queue.notices.shift() ?? takeLatest(queue, now)
      outlet.holdsBack(room, oldestIn(queue))
      if (told) outlet.push(told.notice.to, told.notice.name, told.notice.data, told)
      queue.sent.push(now)
    }
  }

  /** When something may go out next, or when there is nothing left to remember; null = nothing is. */
  const nextAt = ({ notices, latest, sent, latestAt }: Queue): number | null => {
    const [oldest] = sent
    const allowed = sent.length < maxPushes || oldest === undefined ? 0 : oldest + windowMs
    if (notices.length > 0) return allowed
    if (latest.size > 0) return Math.max(allowed, latestAt + latestEveryMs)
    const last = sent.at(-1)
    return last === undefined ? null : last + windowMs
  }

  return {
    push(notices) {
      const rooms = new Map<string, Queue>()
      for (const told of notices) {
        const { name, latest, to } = told.notice
        const queue = queues.get(to.room) ?? newQueue()
        queues.set(to.room, queue)
        rooms.set(to.room, queue)
        if (latest) queue.latest.set(name, told)
        else queue.notices.push(told)
      }
      for (const [room, queue] of rooms) {
        outlet.holdsBack(room, oldestIn(queue))
        queue.timer?.cancel()
        flush(room, queue)
      }
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}

const newQueue = (): Queue => ({
  notices: [],
  latest: new Map(),
  sent: [],
  latestAt: Number.NEGATIVE_INFINITY,
  timer: undefined,
})

function takeLatest(queue: Queue, now: number): PlacedNotice | undefined {
  for (const [name, told] of queue.latest) {
    queue.latest.delete(name)
    queue.latestAt = now
    return told
  }
  return undefined
}

/** Of several `latest` notices any may be the oldest; the others come in order. */
function oldestIn({ notices: [first], latest }: Queue): PlacedNotice | undefined {
  let oldest = first
  for (const told of latest.values()) if (!oldest || told.recorded.position < oldest.recorded.position) oldest = told
  return oldest
}
