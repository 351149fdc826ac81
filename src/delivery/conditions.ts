/** Those who wait until this node has heard enough for something to be true. */
export interface Conditions {
  /** Waits until it is true; false when `signal` came first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean>
  /** To be called when something may have become true. */
  check(): void
}

export function conditions(): Conditions {
  const waiting = new Set<() => void>()
  return {
    until(condition, signal) {
      if (condition()) return Promise.resolve(true)
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const check = (): void => {
        if (condition()) done(true)
      }
      const giveUp = (): void => done(false)
      const done = (answer: boolean): void => {
        waiting.delete(check)
        signal.removeEventListener('abort', giveUp)
        resolve(answer)
      }
      waiting.add(check)
      signal.addEventListener('abort', giveUp)
      if (signal.aborted) giveUp()
      return promise
    },
    check() {
      for (const check of waiting) check()
    },
  }
}
