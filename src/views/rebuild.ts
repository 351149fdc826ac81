import type { Projection } from '../../projections/projection.ts'
import type { Checkpoint, Log } from '../log/log.ts'
import type { Alarm } from './alarm.ts'
import { openPages, type Pages } from './pages.ts'
import { randomGeneration } from './place.ts'
import type { ViewStore } from './store.ts'
import { tableFold } from './table-fold.ts'
import { tableName, versionOf } from './table-name.ts'

export interface RebuildOptions {
  readonly log: Log
  readonly store: ViewStore
  readonly projection: Projection
  /** Events per commit. Default 5000. */
  readonly batch?: number
  /** Default: none. */
  onAlarm?(alarm: Alarm): void
  /** Called after each commit with the number of events read so far. */
  onProgress?(events: number): void
}

export interface Rebuilt {
  /** The table that serves now. */
  readonly table: string
  readonly upTo: Checkpoint | null
  /** Events read from the log; 0 when somebody else rebuilt the view at the same time and was first. */
  readonly events: number
}

const REBUILD_BATCH = 5_000
/** Rows that a rebuild keeps in memory, some 20 MB: streams that are open at the same time are then read once. */
const CACHE_ROWS = 20_000

/**
 * Folds a view again from the beginning of the log, beside the live table, which serves until the switch; parked rows
 * get their second chance. May run in another process than the runner. A rebuild that dies leaves a half-built table
 * behind: the next promotion of the view drops it. Rejects with ViewsUnavailable or LogUnavailable: start again.
 */
export async function rebuildView({ log, ...options }: RebuildOptions): Promise<Rebuilt> {
  return rebuildFrom(openPages(log), options)
}

export async function rebuildFrom(
  pages: Pages,
  { store, projection, batch = REBUILD_BATCH, ...told }: Omit<RebuildOptions, 'log'>,
): Promise<Rebuilt> {
  const { name: view } = projection
  const previous = await store.live(view)
  const table = tableName({ view, version: versionOf(projection), generation: randomGeneration() })
  const onPoison = (poison: Omit<Extract<Alarm, { kind: 'parked' }>, 'kind' | 'view'>) =>
    told.onAlarm?.({ kind: 'parked', view, ...poison })
  const fold = tableFold({ store, projection, table, cacheRows: CACHE_ROWS, onPoison })

  let events = 0
  for (;;) {
    const page = await pages.after(fold.scanned(), batch)
    const last = page.at(-1)
    // Read on while the commit waits for the disk: the next turn finds this page kept, or asks again for what has
    // failed here.
    if (last && page.length === batch) pages.after(last, batch).catch(() => {})
    if ((await fold.apply(page)) === 'lost') break
    events += page.length
    told.onProgress?.(events)
    if (page.length > 0) continue
    if (!(await fold.settle())) break
    if (await store.promote(view, previous, table)) return { table, upTo: fold.stored(), events }
    break
  }
  // Only a promotion drops a table or makes ours fail: what serves now was built while we were building.
  const live = await store.live(view)
  if (live === null || live === previous)
    throw new Error(`the table ${table} of the view ${view} was emptied while it was built: rebuild again`)
  return { table: live, upTo: (await store.read(live, [])).upTo, events: 0 }
}
