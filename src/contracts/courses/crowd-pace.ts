import type { Clock, Timer } from '../../clock.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { CourseWire } from './wire.ts'

type Told = Notice<CourseWire>

export interface CrowdPaceOptions {
  readonly outlet: Pick<Outlet, 'push'>
  readonly clock: Clock
}

/**
 * Many do the same beside one video: what is told of them goes out one by one as long as that is little, and then
 * together. It tells how somebody stands, so nothing of it has to be told again to whoever was away.
 */
export interface CrowdPace {
  tell(notice: Told): void
  stop(): void
}

/** No more pushes of one video within any second: to its instructors (COURSE-33), to those beside it (COURSE-27). */
const MOST = { student_progress: 5, progress_update: 5, user_joined_video: 20 } as const
type Crowded = keyof typeof MOST
const WINDOW_MS = 1_000

/** What an instructor is told of one video shares one budget; so does who comes. */
interface Queue {
  readonly most: number
  sent: number[]
  waiting: Told[]
  timer: Timer | undefined
}

const isCrowded = ({ name }: Told): boolean => Object.hasOwn(MOST, name)

export function crowdPace({ outlet, clock }: CrowdPaceOptions): CrowdPace {
  /** Of videos of which something was told within the last second. */
  const queues = new Map<string, Queue>()

  const push = ({ to, name, data }: Told): void => outlet.push(to, name, data)

  const flush = (key: string, queue: Queue): void => {
    queue.timer = undefined
    const now = clock.now()
    queue.sent = queue.sent.filter((at) => at <= now && now - at < WINDOW_MS)
    const room = queue.most - queue.sent.length
    const names = new Set(queue.waiting.map(({ name }) => name))
    if (names.size > 0 && names.size <= room) {
      const out = queue.waiting.length <= room ? queue.waiting : [...names].map((name) => merged(queue.waiting, name))
      queue.waiting = []
      for (const notice of out) {
        queue.sent.push(now)
        push(notice)
      }
    }
    const [oldest] = queue.sent
    if (oldest === undefined) return void queues.delete(key)
    queue.timer = clock.after(oldest + WINDOW_MS - now, () => flush(key, queue))
  }

  return {
    tell(notice) {
      if (!isCrowded(notice)) return push(notice)
      const { video_id } = notice.data as CourseWire[Crowded]
      const key = `${notice.to.room} ${video_id}`
      const queue = queues.get(key) ?? { most: MOST[notice.name as Crowded], sent: [], waiting: [], timer: undefined }
      queues.set(key, queue)
      queue.waiting.push(notice)
      queue.timer?.cancel()
      flush(key, queue)
    },
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}

/** One push that says what all of this name say: of each person the last, at the top the last of all. */
function merged(waiting: readonly Told[], name: Told['name']): Told {
  const its = waiting.filter((one) => one.name === name)
  const last = its.at(-1)
  if (!last) throw new Error('nothing was to be merged')
  if (its.length === 1) return last
  const people = new Map<string, object>()
  for (const { data } of its) {
    const { id: _, seq: __, pos: ___, ...person } = data as CourseWire[Crowded]
    people.delete(person.user_id)
    people.set(person.user_id, person)
  }
  if (name !== 'user_joined_video') return { ...last, data: { ...last.data, students: [...people.values()] } } as Told
  const users = [...(people.values() as Iterable<CourseWire['user_joined_video']>)].map(({ user_id, user_email }) => ({
    user_id,
    user_email,
  }))
  // Of several nobody can be left out: whoever came is told of the others who came with them.
  return { ...last, to: { kind: last.to.kind, room: last.to.room }, data: { ...last.data, users } } as Told
}
