import type { Clock, Timer } from '../../clock.ts'
import type { Notice } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'

export interface SpreadPaceOptions {
  readonly outlet: Pick<Outlet, 'push' | 'size'>
  readonly clock: Clock
}

/**
 * When a thousand come to a room at once, a thousand are told of each of them: a million pushes. Each is told, in
 * order, as many at a time as one turn of the event loop has time for. It tells how something stands, so nothing of it
 * has to be told again to whoever was away.
 */
export interface SpreadPace {
  tell(notice: Pick<Notice, 'to' | 'name' | 'data'>): void
  stop(): void
}

/** Pushes to one connection each: so many are written in a few milliseconds. */
const PER_TURN = 4_000
const TURN_MS = 100
/** Of one room; more than may be in a course. Then the oldest are left out. */
const MAX_WAITING = 20_000

type Told = Parameters<SpreadPace['tell']>[0]

export function spreadPace({ outlet, clock }: SpreadPaceOptions): SpreadPace {
  /** By room. */
  const waiting = new Map<string, Told[]>()
  let left = PER_TURN
  let timer: Timer | undefined

  const push = ({ to, name, data }: Told): void => {
    left -= Math.max(1, outlet.size(to.room))
    outlet.push(to, name, data)
  }

  /** One of each room in turn, so that a herd in one keeps no other waiting. */
  const flush = (): void => {
    left = PER_TURN
    timer = undefined
    for (const [room, its] of waiting) {
      if (left <= 0) break
      waiting.delete(room)
      const first = its.shift()
      if (first) push(first)
      if (its.length > 0) waiting.set(room, its) // behind all others, where this loop finds it again
    }
    if (left < PER_TURN) timer = clock.after(TURN_MS, flush)
  }

  return {
    tell(notice) {
      const { room } = notice.to
      const its = waiting.get(room)
      if (!its && left > 0) push(notice)
      else if (!its) waiting.set(room, [notice])
      else if (its.push(notice) > MAX_WAITING) its.shift()
      timer ??= clock.after(TURN_MS, flush)
    },
    stop() {
      timer?.cancel()
      waiting.clear()
    },
  }
}
