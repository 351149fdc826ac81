import type { Projection } from '../../projections/projection.ts'
import { StreamDamaged } from '../log/damaged.ts'
import type { Log } from '../log/log.ts'
import type { Touch } from './fold.ts'

/** Which rows of a view the log cannot make again, because events of their streams are gone from it, or damaged. */
export interface CutStreams {
  /** To be told of every touch, in the order of the log. */
  see(touch: Touch): void
  /** Of all that was seen: in log order. */
  keys(): IterableIterator<string>
  /** True when events of the row's stream cannot be had, and the log says that they were there. */
  isCut(key: string): Promise<boolean>
}

/**
 * A scavenge takes out of the whole log what deletion or metadata had hidden in single streams, and files can be
 * damaged; rows keep what they knew. That such a row differs from a fold of what is left says nothing of the view.
 */
export function cutStreams(log: Pick<Log, 'read'>, projection: Projection): CutStreams {
  /** Revision of the last event that was seen, by key. */
  const last = new Map<string, number>()
  const gaps = new Set<string>()
  const known = new Map<string, Promise<boolean>>()

  const isDamaged = async (key: string): Promise<boolean> => {
    try {
      for await (const _ of log.read(projection.stream(key), { isCertain: true }));
    } catch (error) {
      if (!(error instanceof StreamDamaged)) throw error
      return true
    }
    return false
  }

  return {
    see({ key, recorded }) {
      const { revision } = recorded
      if (revision > (last.get(key) ?? -1) + 1 || !isReadable(recorded)) gaps.add(key)
      last.set(key, revision)
    },
    keys: () => last.keys(),
    async isCut(key) {
      if (last.has(key) && !gaps.has(key)) return false
      const its = known.get(key) ?? isDamaged(key)
      known.set(key, its)
      return its
    },
  }
}

function isReadable(recorded: Touch['recorded']): boolean {
  try {
    void recorded.event
    return true
  } catch {
    return false
  }
}
