import { hash, randomBytes } from 'node:crypto'
import type { Projection } from '../../projections/projection.ts'
import { AnotherPast, type Checkpoint } from '../log/log.ts'
import { REPLICA_LAG_MS } from '../log/standing.ts'
import type { Alarm } from './alarm.ts'
import { isSame, later, positionOf } from './position.ts'
import { type ViewStore, ViewsUnavailable } from './store.ts'
import type { TableFold } from './table-fold.ts'
import { parseTableName, successor, tableName, versionOf } from './table-name.ts'
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
  /** This table is not (known to be) of the log's past: nobody is to be shown it. */
  mistrusts(table: string): boolean
  /** The one that is served, and is mistrusted. */
  mistrusted(): string | null
  /** The log holds this event. Asked of the log once for each event that is not in memory. */
  isOurs(stored: Checkpoint | null): boolean | Promise<boolean>
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
  const { name: view } = projection
  const version = versionOf(projection)
  /** What is built, while this table is live (null = none), in place of what would be. */
  let instead: { readonly live: string | null; readonly table: string } | null = null
  let mistrusted: string | null = null
  /** The log was asked, and holds it. */
  let found: Checkpoint | null = null
  /** Since when the log did not reach the table's last event. */
  let aheadSince: number | null = null

  async function locate(before: Spot | null): Promise<Spot> {
    const live = await store.live(view)
    if (live !== mistrusted) mistrusted = null // another one serves
    const liveVersion = (live === null ? null : parseTableName(live)?.version) ?? 0
    const givenUp = instead?.live === live ? instead : null
    const newer = liveVersion > version && givenUp === null
    const serves = live !== null && liveVersion >= version && givenUp === null
    const table = serves ? live : (givenUp?.table ?? successor(view, version, live))

    const known = before?.fold.table === table
    const fold = known ? before.fold : make(table)
    const stood = fold.stored()
    await fold.reload()
    if (!newer) await compare(fold, live)
    const shown = live === null || serves ? null : positionOf((await store.read(live, [])).upTo)
    const overtaken = known && later(positionOf(fold.stored()), positionOf(stood))
    return { fold, live, serves, newer, overtaken, shown }
  }

  /**
   * Whoever folds a table goes on from its last event, which must be the log's. Otherwise the table is of another past,
   * and another one is built, which has the same name for everybody who finds this out.
   */
  async function compare({ table, stored }: TableFold, live: string | null): Promise<void> {
    const upTo = stored()
    const standing = upTo === null ? 'stands' : await tail.standing(upTo)
    if (upTo === null || standing === 'stands') {
      aheadSince = null
      if (mistrusted === table) mistrusted = null
      return
    }
    if (table === live) mistrusted = table
    aheadSince ??= performance.now()
    if (standing === 'other' || performance.now() - aheadSince >= REPLICA_LAG_MS) {
      aheadSince = null
      onAlarm({ kind: 'another-past', table, error: new AnotherPast(upTo) })
      const generation = hash('sha1', `${table} ${upTo.position} ${upTo.id}`).slice(0, 12)
      instead = { live, table: tableName({ view, version, generation }) }
    }
    throw new ViewsUnavailable(`${table} goes up to ${upTo.position}, which the log does not hold`)
  }

  return Object.assign(locate, {
    mistrusts: (table: string) => mistrusted === table,
    mistrusted: () => mistrusted,
    isOurs(stored: Checkpoint | null) {
      if (stored === null || isSame(stored, found) || tail.recent(stored, 0) !== null) return true
      return tail.standing(stored).then((standing) => {
        if (standing === 'stands') found = stored
        return standing === 'stands'
      })
    },
    giveUp({ fold }: Spot) {
      instead = { live: fold.table, table: tableName({ view, version, generation: randomGeneration() }) }
    },
  })
}
