import { keepNewest } from '../keep-newest.ts'
import { lastOf } from '../log/last-of.ts'
import { AnotherPast, type Checkpoint, type Log, NoSuchPosition, type Recorded } from '../log/log.ts'
import { type Standing, standingOf } from '../log/standing.ts'
import { weightOf } from '../log/weight.ts'

/**
 * The log's past in pages, shared by all who read along: several views that are folded at once read and decode each
 * event about once.
 */
export interface Pages {
  /**
   * At most `limit` events, and fewer where they hold much, that follow `from` (null = from the beginning), in order;
   * none at the end of the log. Rejects with AnotherPast when the log does not hold that event, and like `log.readAll`.
   */
  after(from: Checkpoint | null, limit: number): Promise<readonly Recorded[]>
  /** The last event of the log, null when it is empty. */
  end(): Promise<Checkpoint | null>
  /** Whether the log holds this event. */
  standing(checkpoint: Checkpoint): Promise<Standing>
}

/** Pages that are kept while somebody reads on: enough for views that run side by side, some 20 MB of events. */
const KEPT = 4

/** What a page holds, about, in bytes; and one batch of the log more. */
const PAGE_WEIGHT = 4 * 1024 * 1024

interface Page {
  readonly events: readonly Recorded[]
  /** Nothing comes after it. */
  readonly isLast: boolean
}

export function openPages(log: Log): Pages {
  const kept = new Map<string, Promise<Page>>()

  async function read(from: Checkpoint | null, limit: number): Promise<Page> {
    const page: Recorded[] = []
    let weight = 0
    // `from` is inclusive: one more, and the known one is left out.
    const options = from === null ? { limit } : { from: from.position, limit: limit + 1 }
    try {
      for await (const batch of log.readAll(options)) {
        page.push(...batch)
        weight += batch.reduce((sum, recorded) => sum + weightOf(recorded), 0)
        if (weight > PAGE_WEIGHT) break
      }
    } catch (error) {
      throw error instanceof NoSuchPosition && from !== null ? new AnotherPast(from) : error
    }
    const isLast = page.length < options.limit && weight <= PAGE_WEIGHT
    if (from === null) return { events: page, isLast }
    const known = page.shift()
    if (known?.id !== from.id) throw new AnotherPast(from)
    return { events: page, isLast }
  }

  return {
    async after(from, limit) {
      const name = `${from?.position}/${from?.id}/${limit}`
      const known = kept.get(name)
      if (known) return (await known).events
      const reading = read(from, limit)
      kept.set(name, reading)
      keepNewest(kept, KEPT)
      const forget = () => {
        if (kept.get(name) === reading) kept.delete(name)
      }
      try {
        const page = await reading
        // The end of the log: it grows, and whoever reads on now has it in memory.
        if (page.isLast) kept.clear()
        return page.events
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
