import type { Recorded } from '../../machines/kernel.ts'
import type { Projection, Row } from '../../projections/projection.ts'
import { keepNewest } from '../keep-newest.ts'
import type { Checkpoint } from '../log/log.ts'
import { foldTouches, type Held, heldOf, type Poison, type Touch, touchesOf } from './fold.ts'
import { isSame, later, positionOf } from './position.ts'
import { type ViewStore, ViewsUnavailable } from './store.ts'

export interface TableFoldOptions {
  readonly store: ViewStore
  readonly projection: Projection
  readonly table: string
  /** Rows kept in memory between commits. */
  readonly cacheRows: number
  /** Called once per row, after the commit that parked it. */
  onPoison(poison: Poison): void
}

export type Applied = 'written' | 'untouched' | 'lost'

/**
 * One projector of one table. Any number of them may work on the same table: the compare-and-set lets one at a time get
 * through.
 */
export interface TableFold {
  readonly table: string
  /** Where the table stands in the store, as far as this projector knows. */
  stored(): Checkpoint | null
  /** Never behind `stored`: the table is true up to here, because none of the events between changes it. */
  scanned(): Checkpoint | null
  /** Asks the store where the table stands. */
  reload(): Promise<void>
  /**
   * Takes note of events after `scanned` that somebody else commits: moves `scanned` over those that change nothing.
   * False: one of them does.
   */
  skip(batch: readonly Recorded[]): boolean
  /**
   * Folds the events that follow `scanned`, in one commit. `lost`: the table does not stand where this projector
   * thought, `reload`.
   */
  apply(batch: readonly Recorded[]): Promise<Applied>
  /** Moves the stored position up to `scanned`. False: lost. */
  settle(): Promise<boolean>
}

export function tableFold({ store, projection, table, cacheRows, onPoison }: TableFoldOptions): TableFold {
  let stored: Checkpoint | null = null
  let scanned: Checkpoint | null = null
  /**
   * Rows as they stand at `stored`, the longest unused first. Whoever else writes the table makes our next commit fail,
   * which empties it.
   */
  const cache = new Map<string, Held>()

  const lost = (): 'lost' => {
    cache.clear()
    return 'lost'
  }

  /** All rows that the touches need; null when the table has moved. */
  async function gather(touches: readonly Touch[]): Promise<Map<string, Held> | null> {
    const held = new Map<string, Held>()
    const missing = new Set<string>()
    for (const { key } of touches) {
      const known = cache.get(key)
      if (known) held.set(key, known)
      else missing.add(key)
    }
    if (missing.size === 0) return held
    const keys = [...missing]
    const { upTo, rows } = await store.read(table, keys)
    if (!isSame(upTo, stored)) return null
    // written by this projection
    for (const [at, key] of keys.entries()) held.set(key, found(rows[at] as Row | undefined, key))
    return held
  }

  function found(row: Row | undefined, key: string): Held {
    try {
      return heldOf(projection, key, row)
    } catch {
      // Only when `index` was changed without raising the version: the row goes on, its old entries stay until a
      // rebuild.
      return { row, index: [] }
    }
  }

  async function commit(
    to: Checkpoint,
    held: Map<string, Held>,
    touches: readonly Touch[],
    checkJson: boolean,
  ): Promise<Applied> {
    const folded = foldTouches(projection, held, touches, checkJson)
    try {
      if (!(await store.commit(table, stored, to, folded.changes))) return lost()
    } catch (error) {
      // Not the store's fault: some row is no JSON. Fold again, trying each.
      if (error instanceof ViewsUnavailable || checkJson) throw error
      return await commit(to, held, touches, true)
    }
    stored = scanned = to
    for (const [key, row] of folded.held) {
      cache.delete(key)
      cache.set(key, row)
    }
    keepNewest(cache, cacheRows)
    for (const poison of folded.poisons) onPoison(poison)
    return 'written'
  }

  return {
    table,
    stored: () => stored,
    scanned: () => scanned,

    async reload() {
      const { upTo } = await store.read(table, [])
      if (isSame(upTo, stored)) return
      cache.clear()
      const wentOn = later(positionOf(upTo), positionOf(stored))
      stored = upTo
      // A table that went back (emptied, restored from an old copy) takes `scanned` back with it.
      if (!wentOn || later(positionOf(stored), positionOf(scanned))) scanned = stored
    },

    skip(batch) {
      for (const recorded of batch) {
        if (touchesOf(projection, [recorded]).length > 0) return false
        scanned = checkpointOf(recorded)
      }
      return true
    },

    async apply(batch) {
      const last = batch.at(-1)
      if (last === undefined) return 'untouched'
      const to = checkpointOf(last)
      const touches = touchesOf(projection, batch)
      if (touches.length === 0) {
        scanned = to
        return 'untouched'
      }
      try {
        const held = await gather(touches)
        return held === null ? lost() : await commit(to, held, touches, false)
      } catch (error) {
        // The outcome is unknown: the caller must `reload`, and rows kept here may be behind.
        cache.clear()
        throw error
      }
    },

    async settle() {
      if (scanned === null || isSame(scanned, stored)) return true
      if (!(await store.commit(table, stored, scanned, []))) {
        lost()
        return false
      }
      stored = scanned
      return true
    },
  }
}

/** Without the event, which is not to be kept in memory. */
const checkpointOf = ({ position, id }: Recorded): Checkpoint => ({ position, id })
