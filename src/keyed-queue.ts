/**
 * Work under one key runs in the order in which it was given, one at a time; work under different keys runs side by
 * side.
 */
export interface KeyedQueue {
  /** Resolves or rejects as the work does; a failed work does not stop the next one. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Resolves when nothing is waiting or under way any more, what is added meanwhile included. */
  quiet(): Promise<void>
}

export function keyedQueue(): KeyedQueue {
  const last = new Map<string, Promise<void>>()

  return {
    run(key, work) {
      const before = last.get(key)
      const result = before === undefined ? work() : before.then(work)
      const over = result.then(nothing, nothing).then(() => {
        if (last.get(key) === over) last.delete(key)
      })
      last.set(key, over)
      return result
    },
    async quiet() {
      while (last.size > 0) await Promise.all(last.values())
    },
  }
}

/** Runs the work for every item, at most `limit` of them at a time. The work must not reject. */
export async function forEachLimited<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

const nothing = (): void => {}
