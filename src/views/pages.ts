import { keepNewest } from '../keep-newest.ts'
import { lastOf } from '../log/last-of.ts'
import type { Log, Recorded } from '../log/log.ts'

/**
 * The log's past in pages, shared by all who read along: several views that are folded at once read and decode each
 * event about once.
 */
export interface Pages {
  /**
   * Up to `limit` events that follow `position` (null = from the beginning), in order; none at the end of the log.
   * Rejects like `log.readAll`.
   */
  after(position: bigint | null, limit: number): Promise<readonly Recorded[]>
  /** Position of the last event of the log, null when it is empty. */
  end(): Promise<bigint | null>
}

/** Pages that are kept while somebody reads on: enough for views that run side by side, some 20 MB of events. */
const KEPT = 4

export function openPages(log: Log): Pages {
  const kept = new Map<string, Promise<readonly Recorded[]>>()

  async function read(position: bigint | null, limit: number): Promise<readonly Recorded[]> {
    const page: Recorded[] = []
    // `from` is inclusive: one more, and the known one is left out.
    const options = position === null ? { limit } : { from: position, limit: limit + 1 }
    for await (const batch of log.readAll(options)) {
      for (const recorded of batch) if (position === null || recorded.position > position) page.push(recorded)
    }
    return page.length > limit ? page.slice(0, limit) : page
  }

  return {
    async after(position, limit) {
      const name = `${position}/${limit}`
      const known = kept.get(name)
      if (known) return known
      const reading = read(position, limit)
      kept.set(name, reading)
      keepNewest(kept, KEPT)
      const forget = () => {
        if (kept.get(name) === reading) kept.delete(name)
      }
      try {
        const page = await reading
        // The end of the log: it grows, and whoever reads on now has it in memory.
        if (page.length < limit) kept.clear()
        return page
      } catch (error) {
        forget()
        throw error
      }
    },

    async end() {
      return (await lastOf(log))?.position ?? null
    },
  }
}
