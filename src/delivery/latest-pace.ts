import type { Clock, Timer } from '../clock.ts'
import type { Pace } from './feed.ts'
import type { Notice } from './notice.ts'
import type { Outlet } from './outlet.ts'

export interface LatestPaceOptions {
  readonly outlet: Pick<Outlet, 'push'>
  readonly clock: Clock
  /** No room gets more pushes than this within `windowMs`. */
  readonly maxPushes: number
  readonly windowMs: number
  /** At least so long between two `latest` notices of one room. */
  readonly latestEveryMs: number
}

interface Queue {
  readonly notices: Notice[]
  /** By name; a later one takes the place of an earlier one. */
  readonly latest: Map<string, Notice>
  /** When the last pushes went out, oldest first. */
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
      const now = clock.now()
      queue.sent = queue.sent.filter((at) => now - at < windowMs)
      const at = nextAt(queue)
      if (at === null) return void queues.delete(room)
      if (at > now || (queue.notices.length === 0 && queue.latest.size === 0)) {
        queue.timer = clock.after(at - now, () => flush(room, queue))
        return
      }
      const notice = queue.notices.shift() ?? takeLatest(queue, now)
      if (notice) outlet.push(notice.to, notice.name, notice.data)
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
      for (const notice of notices) {
        const { room } = notice.to
        const queue = queues.get(room) ?? newQueue()
        queues.set(room, queue)
        rooms.set(room, queue)
        if (notice.latest) queue.latest.set(notice.name, notice)
        else queue.notices.push(notice)
      }
      for (const [room, queue] of rooms) {
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

function takeLatest(queue: Queue, now: number): Notice | undefined {
  for (const [name, notice] of queue.latest) {
    queue.latest.delete(name)
    queue.latestAt = now
    return notice
  }
  return undefined
}
