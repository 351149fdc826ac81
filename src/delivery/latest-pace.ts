import type { Clock, Timer } from '../clock.ts'
import type { Pace } from './feed.ts'
import type { Outlet } from './outlet.ts'
import type { PlacedNotice } from './placed-notice.ts'

export interface LatestPaceOptions {
  readonly outlet: Pick<Outlet, 'push' | 'holdsBack'>
  readonly clock: Clock
  /** No room gets more pushes than this within `windowMs`. At least 3. */
  readonly maxPushes: number
  readonly windowMs: number
  /** At least so long between two `latest` notices of one room. */
  readonly latestEveryMs: number
}

/**
 * Of the pushes that a room may get within `windowMs`, so many are left to `latest` notices: however many others wait,
 * the newest of them is out within `windowMs - latestEveryMs`.
 */
const KEPT_FOR_LATEST = 2

interface Queue {
  readonly notices: PlacedNotice[]
  /** By name; a later one takes the place of an earlier one. */
  readonly latest: Map<string, PlacedNotice>
  /** Of these the last that went out, by name. */
  readonly shown: Map<string, PlacedNotice>
  /** When the last pushes went out, by elapsed time, oldest first. */
  sent: number[]
  /** Those of them that were not `latest`. */
  sentNotices: number[]
  latestAt: number
  timer: Timer | undefined
}

/**
 * Tells each room at once what is new, as long as that does not come too thick. Every notice goes out, in order; of
 * those that are `latest` only the newest, and its data is read then. Where many notices wait it goes out between them;
 * then it is told again after those that are older, so that the last one always comes last.
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
      queue.sentNotices = queue.sentNotices.filter((at) => now - at < windowMs)
      const noticeAt = nextNoticeAt(queue)
      const latestAt = nextLatestAt(queue)
      if (Math.min(noticeAt, latestAt) > now) {
        const last = queue.sent.at(-1)
        if (last === undefined && queue.notices.length + queue.latest.size === 0) return void queues.delete(room)
        // Where nothing waits, what went out is remembered as long as it counts.
        const next = Math.min(noticeAt, latestAt, (last ?? now) + windowMs)
        queue.timer = clock.after(next - now, () => flush(room, queue))
        return
      }
      const told = noticeAt <= now ? takeNotice(queue, now) : takeLatest(queue, now)
      outlet.holdsBack(room, oldestIn(queue))
      if (told) outlet.push(told.notice.to, told.notice.name, told.notice.data, told)
      queue.sent.push(now)
    }
  }

  /** When the last `most` of these have become fewer. */
  const freeAt = (times: readonly number[], most: number): number => (times.at(-most) ?? -windowMs) + windowMs

  const nextNoticeAt = ({ notices, sent, sentNotices }: Queue): number =>
    notices.length === 0
      ? Number.POSITIVE_INFINITY
      : Math.max(freeAt(sent, maxPushes), freeAt(sentNotices, maxPushes - KEPT_FOR_LATEST))

  const nextLatestAt = ({ latest, sent, latestAt }: Queue): number =>
    latest.size === 0 ? Number.POSITIVE_INFINITY : Math.max(freeAt(sent, maxPushes), latestAt + latestEveryMs)

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
  shown: new Map(),
  sent: [],
  sentNotices: [],
  latestAt: Number.NEGATIVE_INFINITY,
  timer: undefined,
})

/** What was shown before it, and knew of it, is shown again after it. */
function takeNotice({ notices, latest, shown, sentNotices }: Queue, now: number): PlacedNotice | undefined {
  const told = notices.shift()
  sentNotices.push(now)
  for (const [name, newer] of shown)
    if (told && !latest.has(name) && newer.recorded.position >= told.recorded.position) latest.set(name, newer)
  return told
}

function takeLatest(queue: Queue, now: number): PlacedNotice | undefined {
  for (const [name, told] of queue.latest) {
    queue.latest.delete(name)
    queue.shown.set(name, told)
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
