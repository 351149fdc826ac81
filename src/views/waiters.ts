/** Those who wait until a view has come as far as a position. */
export interface Waiters {
  /** True when it has, false after `timeoutMs` or `end`. */
  wait(position: bigint, timeoutMs: number): Promise<boolean>
  /** Some wait: it is worth looking more often. */
  any(): boolean
  /** To be called when the view may have moved. */
  moved(): void
  /** Sends everybody away, now and from now on. */
  end(): void
}

export function waiters(isReached: (position: bigint) => boolean): Waiters {
  const waiting = new Set<{ readonly position: bigint; answer(reached: boolean): void }>()
  let ended = false

  return {
    wait(position, timeoutMs) {
      if (isReached(position)) return Promise.resolve(true)
      if (ended) return Promise.resolve(false)
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiter.answer(false), timeoutMs)
        const waiter = {
          position,
          answer(reached: boolean) {
            clearTimeout(timer)
            waiting.delete(waiter)
            resolve(reached)
          },
        }
        waiting.add(waiter)
      })
    },
    any: () => waiting.size > 0,
    moved() {
      for (const waiter of waiting) if (isReached(waiter.position)) waiter.answer(true)
    },
    end() {
      ended = true
      for (const waiter of waiting) waiter.answer(false)
    },
  }
}
