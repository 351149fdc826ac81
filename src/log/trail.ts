import type { Checkpoint, Log } from './log.ts'
import { standingOf } from './standing.ts'

/** Some of the events that a log has told, the newest of them closely: to say since when it is another one. */
export interface Trail {
  add(event: Checkpoint): void
  /** The earliest of them that the log does not hold; null when it holds them all. Rejects with LogUnavailable. */
  firstMissing(log: Pick<Log, 'readAll'>): Promise<Checkpoint | null>
}

/** So many of the newest, and so many that are spread evenly over all that is older. */
const MAX_KEPT = 256

export function openTrail(): Trail {
  let newest: Checkpoint[] = []
  let older: Checkpoint[] = []
  /** Of those that grow old every so many-th is kept. */
  let step = 1
  let passed = 0

  const growOld = (event: Checkpoint): void => {
    if (passed++ % step === 0) older.push(event)
    if (older.length <= MAX_KEPT) return
    older = older.filter((_, n) => n % 2 === 0)
    step *= 2
    passed = 1 // the last one stays
  }

  return {
    add({ position, id }) {
      newest.push({ position, id })
      if (newest.length < 2 * MAX_KEPT) return
      for (const event of newest.slice(0, MAX_KEPT)) growOld(event)
      newest = newest.slice(MAX_KEPT)
    },
    async firstMissing(log) {
      // What comes after a missing one is missing, too.
      const kept = [...older, ...newest]
      let [low, high] = [0, kept.length]
      while (low < high) {
        const middle = (low + high) >> 1
        // `middle` is below `high`, which is at most the length.
        if ((await standingOf(log, kept[middle]!)) === 'stands') low = middle + 1
        else high = middle
      }
      return kept[low] ?? null
    },
  }
}
