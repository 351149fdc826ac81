import { randomBytes } from 'node:crypto'
import type { Projection } from '../../projections/projection.ts'
import type { Alarm } from './alarm.ts'
import { later } from './position.ts'
import { type ViewStore, ViewsUnavailable } from './store.ts'
import type { TableFold } from './table-fold.ts'
import { parseTableName, successor, tableName } from './table-name.ts'
import type { Tail } from './tail.ts'

/** Which table a view works on, and which one its readers get. */
export interface Spot {
  readonly fold: TableFold
  /** The table that serves readers. */
  readonly live: string | null
  /** The two are the same. */
  readonly serves: boolean
  /** The live table is of a newer version: it is left to newer nodes. */
  readonly newer: boolean
  /** Somebody else has brought the table further since we last looked. */
  readonly overtaken: boolean
  /** Where the live table stands, when it is not the one that is worked on. */
  shown: bigint | null
}

export interface PlacesOptions {
  readonly store: ViewStore
  readonly projection: Projection
  readonly tail: Tail
  make(table: string): TableFold
  onAlarm(alarm: Alarm): void
}

export interface Places {
  /** Asks the store anew; `before` is where we stood. Rejects with ViewsUnavailable or LogUnavailable. */
  (before: Spot | null): Promise<Spot>
  /** Gives a newer version's table up: the next place is a table of our own version beside it. */
  giveUp(place: Spot): void
}

export const randomGeneration = (): string => randomBytes(6).toString('hex')

/**
 * Decides by the live table's name. Ours: go on. None, or an older version: build its successor, which has the same
 * name for everybody, so that several nodes build it together and a crash is resumed. Newer: leave it alone, an old
 * node must not undo what a new one has done.
 */
export function places({ store, projection, tail, make, onAlarm }: PlacesOptions): Places {
  const { name: view, version } = projection
  /** The live table that was given up, and what is built instead. */
  let instead: { readonly live: string; readonly table: string } | null = null
  let doubted: string | null = null

  async function locate(before: Spot | null): Promise<Spot> {
    const live = await store.live(view)
    const liveVersion = (live === null ? null : parseTableName(live)?.version) ?? 0
    const givenUp = live !== null && instead?.live === live
    const newer = liveVersion > version && !givenUp
    const serves = live !== null && liveVersion >= version && !givenUp
    const table = serves ? live : givenUp && instead ? instead.table : successor(view, version, live)

    const known = before?.fold.table === table
    const fold = known ? before.fold : make(table)
    const stood = fold.stored()
    await fold.reload()
    if (serves && !newer) await compare(fold)
    const shown = live === null || serves ? null : (await store.read(live, [])).position
    return { fold, live, serves, newer, overtaken: known && later(fold.stored(), stood), shown }
  }

  /**
   * A table that knows more than the log is of another past. Looked at twice, because a replica of the log may be a
   * little behind.
   */
  async function compare(fold: TableFold): Promise<void> {
    const stored = fold.stored()
    if (stored === null || !later(stored, tail.head()) || !later(stored, await tail.end())) {
      doubted = null
      return
    }
    if (doubted === fold.table) {
      onAlarm({ kind: 'ahead-of-log', view, table: fold.table, position: stored })
      instead = { live: fold.table, table: tableName({ view, version, generation: randomGeneration() }) }
    }
    doubted = fold.table
    throw new ViewsUnavailable(`${fold.table} stands at ${stored}, which the log does not reach`)
  }

  return Object.assign(locate, {
    giveUp({ fold }: Spot) {
      instead = { live: fold.table, table: tableName({ view, version, generation: randomGeneration() }) }
    },
  })
}
