import type { Clock, Timer } from '../../clock.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { ProgressNotice } from './notices.ts'

export interface CrowdPaceOptions {
  readonly outlet: Pick<Outlet, 'push'>
  readonly clock: Clock
}

/**
 * Many watch one video: what instructors are told of it goes out one by one as long as that is little, and then
 * together. It tells how somebody stands, so nothing of it has to be told again to whoever was away.
 */
export interface CrowdPace {
  tell(notice: ProgressNotice): void
  stop(): void
}

/** No more pushes of one video within any second (COURSE-33), of both names together. */
const MOST = 5
const WINDOW_MS = 1_000
/** Of one viewer, in one push: a client that reports more often than that loses the oldest. */
const MAX_REPORTS = 20

/** What instructors are told of one video. */
interface Queue {
  sent: number[]
  /** By name, then by person. */
  readonly waiting: Map<ProgressNotice['name'], Map<string, ProgressNotice[]>>
  timer: Timer | undefined
}

export function crowdPace({ outlet, clock }: CrowdPaceOptions): CrowdPace {
  /** Of videos of which something was told within the last second. */
  const queues = new Map<string, Queue>()

  const roomIn = (queue: Queue): number => {
    const now = clock.elapsed()
    queue.sent = queue.sent.filter((at) => now - at < WINDOW_MS)
    return MOST - queue.sent.length
  }

  const flush = (key: string, queue: Queue): void => {
    queue.timer?.cancel()
    const room = roomIn(queue)
    const names = [...queue.waiting.values()].map((people) => [...people.values()].flat())
    if (names.length > 0 && names.length <= room) {
      const all = names.flat()
      queue.waiting.clear()
      for (const { to, name, data } of all.length <= room ? all : names.map(merged)) {
        queue.sent.push(clock.elapsed())
        outlet.push(to, name, data)
      }
    }
    const [oldest] = queue.sent
    if (oldest === undefined) return void queues.delete(key)
    queue.timer = clock.after(oldest + WINDOW_MS - clock.elapsed(), () => flush(key, queue))
  }

  return {
    tell(notice) {
      const { name } = notice
      const { video_id, user_id } = notice.data
      const key = `${notice.to.room} ${video_id}`
      const queue = queues.get(key) ?? { sent: [], waiting: new Map(), timer: undefined }
      queues.set(key, queue)
      const people = queue.waiting.get(name) ?? new Map<string, ProgressNotice[]>()
      queue.waiting.set(name, people)
      // Reports are told as they came; what they come to, as it is now.
      const before = name === 'student_progress' ? (people.get(user_id) ?? []) : []
      people.delete(user_id)
      people.set(user_id, [...before, notice].slice(-MAX_REPORTS))
      // Where the second is full already, its timer tells.
      if (!queue.timer || roomIn(queue) >= queue.waiting.size) flush(key, queue)
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}

/** One push that says what all of these, of one name, say; at the top the last of all. */
function merged(all: readonly ProgressNotice[]): ProgressNotice {
  const last = all.at(-1)
  if (!last) throw new Error('nothing was to be merged')
  if (all.length === 1) return last
  const students = all.map(({ data: { id: _, seq: __, pos: ___, ...student } }) => student)
  return { ...last, data: { ...last.data, students } } as ProgressNotice
}
