import type { Clock, Timer } from '../../clock.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { CourseWire } from './wire.ts'

export interface CrowdPaceOptions {
  readonly outlet: Pick<Outlet, 'push'>
  readonly clock: Clock
}

/**
 * Many do the same beside one video: what is told of them goes out one by one as long as that is little, and then
 * together. It tells how somebody stands, so nothing of it has to be told again to whoever was away.
 */
export interface CrowdPace {
  tell(notice: CrowdNotice): void
  stop(): void
}

/** No more pushes of one video within any second: to its instructors (COURSE-33), to those beside it (COURSE-27). */
const MOST = { student_progress: 5, progress_update: 5, user_joined_video: 20 } as const
type Crowded = keyof typeof MOST
export type CrowdNotice = Notice<Pick<CourseWire, Crowded>>
const WINDOW_MS = 1_000

/** What an instructor is told of one video shares one budget; so does who comes. */
interface Queue {
  readonly most: number
  sent: number[]
  /** By name, then by person: the last notice of each, in the order of their coming. */
  readonly waiting: Map<Crowded, Map<string, CrowdNotice>>
  timer: Timer | undefined
}

export function crowdPace({ outlet, clock }: CrowdPaceOptions): CrowdPace {
  /** Of videos of which something was told within the last second. */
  const queues = new Map<string, Queue>()

  const roomIn = (queue: Queue): number => {
    const now = clock.now()
    queue.sent = queue.sent.filter((at) => at <= now && now - at < WINDOW_MS)
    return queue.most - queue.sent.length
  }

  const flush = (key: string, queue: Queue): void => {
    queue.timer?.cancel()
    const room = roomIn(queue)
    const names = [...queue.waiting.values()]
    if (names.length > 0 && names.length <= room) {
      const all = names.flatMap((people) => [...people.values()])
      queue.waiting.clear()
      for (const { to, name, data } of all.length <= room ? all : names.map(merged)) {
        queue.sent.push(clock.now())
        outlet.push(to, name, data)
      }
    }
    const [oldest] = queue.sent
    if (oldest === undefined) return void queues.delete(key)
    queue.timer = clock.after(oldest + WINDOW_MS - clock.now(), () => flush(key, queue))
  }

  return {
    tell(notice) {
      const { name } = notice
      const { video_id, user_id } = notice.data
      const key = `${notice.to.room} ${video_id}`
      const queue = queues.get(key) ?? { most: MOST[name], sent: [], waiting: new Map(), timer: undefined }
      queues.set(key, queue)
      const people = queue.waiting.get(name) ?? new Map<string, CrowdNotice>()
      queue.waiting.set(name, people)
      people.delete(user_id)
      people.set(user_id, notice)
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
function merged(people: ReadonlyMap<string, CrowdNotice>): CrowdNotice {
  const all = [...people.values()]
  const last = all.at(-1)
  if (!last) throw new Error('nothing was to be merged')
  if (all.length === 1) return last
  if (last.name !== 'user_joined_video') {
    const students = all.map(({ data: { id: _, seq: __, pos: ___, ...student } }) => student)
    return { ...last, data: { ...last.data, students } } as CrowdNotice
  }
  const users = all.map(({ data }) => {
    const { user_id, user_email } = data as CourseWire['user_joined_video']
    return { user_id, user_email }
  })
  // Of several nobody can be left out: whoever came is told of the others who came with them.
  return { ...last, to: { kind: last.to.kind, room: last.to.room }, data: { ...last.data, users } }
}
