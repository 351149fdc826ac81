import { keepNewest } from '../keep-newest.ts'
import { lastOf } from '../log/last-of.ts'
import { AnotherPast, type Checkpoint, type Log, NoSuchPosition, type Recorded } from '../log/log.ts'
import { type Standing, standingOf } from '../log/standing.ts'

/**
 * The log's past in pages, shared by all who read along: several views that are folded at once read and decode each
 * event about once.
 */
export interface Pages {
  /**
   * Up to `limit` events that follow `from` (null = from the beginning), in order; none at the end of the log. Rejects
   * with AnotherPast when the log does not hold that event, and like `log.readAll`.
   */
  after(from: Checkpoint | null, limit: number): Promise<readonly Recorded[]>
  /** The last event of the log, null when it is empty. */
  end(): Promise<Checkpoint | null>
  /** Whether the log holds this event. */
  standing(checkpoint: Checkpoint): Promise<Standing>
}

/** Pages that are kept while somebody reads on: enough for views that run side by side, some 20 MB of events. */
const KEPT = 4

export function openPages(log: Log): Pages {
  const kept = new Map<string, Promise<readonly Recorded[]>>()

  async function read(from: Checkpoint | null, limit: number): Promise<readonly Recorded[]> {
    const page: Recorded[] = []
    // `from` is inclusive: one more, and the known one is left out.
    const options = from === null ? { limit } : { from: from.position, limit: limit + 1 }
    try {
      for await (const batch of log.readAll(options)) page.push(...batch)
    } catch (error) {
      throw error instanceof NoSuchPosition && from !== null ? new AnotherPast(from) : error
    }
    if (from === null) return page
    const known = page.shift()
    if (known?.id !== from.id) throw new AnotherPast(from)
    return page
  }

  return {
    async after(from, limit) {
      const name = `${from?.position}/${from?.id}/${limit}`
      const known = kept.get(name)
      if (known) return known
      const reading = read(from, limit)
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
      return (await lastOf(log)) ?? null
    },

    standing: (checkpoint) => standingOf(log, checkpoint),
  }
}
