import type { Clock, Timer } from '../clock.ts'
import type { Pace } from './feed.ts'
import { nextRun } from './merge-run.ts'
import type { Notice } from './notice.ts'
import type { Outlet } from './outlet.ts'
import type { PlacedNotice } from './placed-notice.ts'

export interface MergedPaceOptions {
  readonly outlet: Pick<Outlet, 'push' | 'holdsBack'>
  readonly clock: Clock
  /** The kind of audience whose notices are paced; all others go out at once. */
  readonly kind: string
  /** At least so long between two pushes about parts to one room. */
  readonly pauseMs: number
  /** One notice that says what all of these (one or more, of one name) say. */
  readonly merge: (run: readonly Notice[]) => Notice
  /** Called before each push to a room: tells what waits ahead of the queue; true when that was a push of its own. */
  readonly ahead: (room: string) => boolean
  /** Called when a notice is out. */
  readonly onSent: (notice: Notice) => void
}

export interface MergedPace extends Pace<unknown> {
  /** Something waits ahead in this room: `ahead` is called before the next push to it. */
  mark(room: string): void
  /** Pushes what waits in this room, as far as the pace allows. */
  flush(room: string): void
}

interface Queue {
  waiting: PlacedNotice[]
  marked: boolean
  timer: Timer | undefined
}

/** Notices about parts of one thing (the participants of a lesson) go out together, as often as the pace allows. */
export function mergedPace({ outlet, clock, kind, pauseMs, merge, ahead, onSent }: MergedPaceOptions): MergedPace {
  /** Of rooms that were told something less than a moment ago. */
  const queues = new Map<string, Queue>()

  const queueOf = (room: string): Queue => {
    const queue = queues.get(room) ?? { waiting: [], marked: false, timer: undefined }
    queues.set(room, queue)
    return queue
  }

  const send = (run: readonly PlacedNotice[]): void => {
    const last = run.at(-1)
    if (!last) return
    const notice = merge(run.map((told) => told.notice))
    outlet.push(notice.to, notice.name, notice.data, last)
    onSent(notice)
  }

  /** Pushes until the pace asks for a pause. */
  const flush = (room: string, queue: Queue): void => {
    while ((queue.waiting.length > 0 || queue.marked) && queue.timer === undefined) {
      const pushed = queue.marked && ahead(room)
      queue.marked = false
      const { run, rest } = nextRun(queue.waiting)
      queue.waiting = rest
      outlet.holdsBack(room, rest[0])
      send(run)
      if (!pushed && run[0]?.notice.part === undefined) continue
      queue.timer = clock.after(pauseMs, () => {
        queue.timer = undefined
        flush(room, queue)
      })
    }
    if (queue.timer === undefined) queues.delete(room)
  }

  return {
    push(notices) {
      for (const told of notices) {
        const { to, name, data } = told.notice
        if (to.kind !== kind) {
          outlet.push(to, name, data, told)
          continue
        }
        const queue = queueOf(to.room)
        queue.waiting.push(told)
        outlet.holdsBack(to.room, queue.waiting[0])
        flush(to.room, queue)
      }
    },
    mark(room) {
      queueOf(room).marked = true
    },
    flush: (room) => flush(room, queueOf(room)),
    stop() {
      for (const { timer } of queues.values()) timer?.cancel()
      queues.clear()
    },
  }
}
