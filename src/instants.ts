/** What it is made from. */
interface Parts {
  readonly now: () => number
  readonly after: (ms: number, run: () => void) => Timer
}

interface Timer {
  cancel(): void
}

interface Waiting {
  readonly at: number
  readonly run: () => void
  /** Where it stands in the heap; -1: nowhere any more. */
  index: number
}

/** So often the wall clock is looked at while anything waits for it: it may have been stepped. */
const LOOK_EVERY_MS = 1_000

/**
 * Whoever waits for an instant of the wall clock. One timer for all: it runs when the earliest is due, and at least
 * once a second, since no timer of the system notices that the clock was stepped. What waits is a heap by time, so that
 * a look costs nothing where nothing is due.
 */
export function instants({ now, after }: Parts): (instant: number, run: () => void) => Timer {
  const heap: Waiting[] = []
  let timer: Timer | undefined
  /** What the timer is set for. */
  let lookAt = Number.POSITIVE_INFINITY

  const put = (waiting: Waiting, index: number): void => {
    heap[index] = waiting
    waiting.index = index
  }

  /** Moves it to where it belongs, from a place that is free. */
  const settle = (waiting: Waiting, from: number): void => {
    let index = from
    for (let above = (index - 1) >> 1; index > 0; above = (index - 1) >> 1) {
      const one = heap[above] as Waiting // every place above one that is taken is taken
      if (one.at <= waiting.at) break
      put(one, index)
      index = above
    }
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]]
      const least = left && right && right.at < left.at ? right : left
      if (!least || least.at >= waiting.at) break
      const below = least.index
      put(least, index)
      index = below
    }
    put(waiting, index)
  }

  const remove = (waiting: Waiting): void => {
    const { index } = waiting
    waiting.index = -1
    const last = heap.pop()
    if (last && last !== waiting) settle(last, index)
  }

  const look = (): void => {
    timer = undefined
    const time = now()
    const due: Waiting[] = []
    for (let first = heap[0]; first && first.at <= time; first = heap[0]) {
      remove(first)
      due.push(first)
    }
    lookLater()
    for (const { run } of due) run()
  }

  const lookLater = (): void => {
    const first = heap[0]
    if (first === undefined) {
      timer?.cancel()
      timer = undefined
      return
    }
    if (timer !== undefined && lookAt <= first.at) return
    timer?.cancel()
    const leftMs = Math.min(LOOK_EVERY_MS, first.at - now())
    lookAt = first.at
    timer = after(leftMs, look)
  }

  return (at, run) => {
    const waiting: Waiting = { at, run, index: heap.length }
    settle(waiting, heap.length)
    lookLater()
    return {
      cancel() {
        if (waiting.index < 0) return
        remove(waiting)
        lookLater()
      },
    }
  }
}
