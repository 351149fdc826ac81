import type { Projection, Row } from '../../projections/projection.ts'
import { systemClock } from '../clock.ts'
import { AnotherPast, type Log } from '../log/log.ts'
import type { Alarm } from './alarm.ts'
import { isParked } from './fold.ts'
import { monotonicRead } from './monotonic-read.ts'
import { type Rebuilt, rebuildFrom } from './rebuild.ts'
import { type Scanned, type ScanOptions, type ViewStore, ViewsUnavailable } from './store.ts'
import { openTail } from './tail.ts'
import { type Verified, verifyFrom } from './verify.ts'
import { followView, type ViewFollower, type ViewFollowerState } from './view-follower.ts'

export interface ViewRunnerOptions {
  readonly log: Log
  readonly store: ViewStore
  readonly projections: readonly Projection[]
  /** Events are gathered for so long and committed together. Default 25. */
  readonly commitEveryMs?: number
  /** Events per commit at most: the embedded store holds the event loop up for some 5 ms per thousand. Default 2000. */
  readonly batch?: number
  /**
   * How often an idle view looks at the store. Two of these without a move, and a node on standby takes over. Default
   * 1000.
   */
  readonly pollMs?: number
  /** Rows kept in memory per view between commits. Default 5000. */
  readonly cacheRows?: number
  onAlarm(alarm: Alarm): void
}

export interface ViewStatus {
  readonly state: ViewFollowerState
  /** Its readers are put off until it is made. */
  readonly isMaking: boolean
  readonly table: string | null
  /** Where the serving table is true; null = no event folded yet. */
  readonly position: bigint | null
  readonly lagMs: number
  /** Rows that wait for a rebuild; counted up to 100. */
  readonly parked: number
}

/**
 * Keeps all views up with the log, and reads them. Methods that take a view throw for a name that no projection has.
 */
export interface ViewRunner {
  /**
   * Resolves when every view has a table that serves and has come to where the log ended at the start. Rejects when
   * stopped before.
   */
  ready(): Promise<void>
  /**
   * The log position that the view is true at, as far as this node knows; null = nothing folded yet, or not known yet.
   */
  position(view: string): bigint | null
  /**
   * Waits until the view shows at least this position: true when it does, false after `timeoutMs`. Rejects with
   * ViewsUnavailable when nothing brings it there, because its store or the log does not answer.
   */
  reached(view: string, position: bigint, timeoutMs: number): Promise<boolean>
  /** The table that serves readers. */
  table(view: string): string | null
  /**
   * Rows by key and the position that they are true at, which never goes back within one runner. A parked row reads as
   * undefined. Rejects with ViewsUnavailable while the store does not answer or the view is being built: tell the asker
   * to come back.
   */
  get<R extends Row = Row>(
    view: string,
    keys: readonly string[],
  ): Promise<{ readonly position: bigint | null; readonly rows: readonly (R | undefined)[] }>
  /** Rows by index order, likewise. Parked rows stand under `parked/<key>` only. */
  scan(view: string, options: ScanOptions): Promise<Omit<Scanned, 'upTo'> & { readonly position: bigint | null }>
  /** Folds the view again from the beginning, beside the serving table, and switches: see `rebuildView`. */
  rebuild(view: string): Promise<Rebuilt>
  /** Compares the serving table with a fresh fold: see `verifyView`. */
  verify(view: string): Promise<Verified>
  status(): Readonly<Record<string, ViewStatus>>
  /** Resolves when nothing is read or written any more. The log and the store stay open: they are the caller's. */
  stop(): Promise<void>
}

/**
 * The newest events that are kept in memory for all views together; up to twice as many between two cuts. Older ones
 * are read again.
 */
const KEEP = { number: 2_500, weight: 8 * 1024 * 1024 }

/**
 * Starts at once and never gives up: a store or log that does not answer is tried again with growing pauses. Several
 * nodes may keep the same store; per view one of them folds and the others stand by, but nothing depends on that: every
 * commit checks the position it starts from.
 */
export function runViews({ log, store, projections, onAlarm, ...options }: ViewRunnerOptions): ViewRunner {
  const { commitEveryMs = 25, batch = 2_000, pollMs = 1_000, cacheRows = 5_000 } = options
  const views = new Map<string, { readonly projection: Projection; readonly follower: ViewFollower }>()
  const nudgeAll = () => {
    for (const { follower } of views.values()) follower.nudge()
  }
  const tail = openTail({ log, commitEveryMs, keep: KEEP }, nudgeAll, (error) =>
    onAlarm(
      error instanceof AnotherPast
        ? { kind: 'another-past', table: null, error }
        : { kind: 'failing', view: null, error },
    ),
  )
  for (const projection of projections) {
    if (!/^[a-z0-9-]+$/.test(projection.name))
      throw new Error(`a view's name must be a-z, 0-9 and -, got ${JSON.stringify(projection.name)}`)
    if (views.has(projection.name)) throw new Error(`two views are named ${projection.name}`)
    views.set(projection.name, {
      projection,
      follower: followView({ store, projection, tail, batch, pollMs, cacheRows, onAlarm }),
    })
  }
  const lookers = new Map([...views].map(([view, { follower }]) => [view, monotonicRead(view, store, follower)]))

  const named = (view: string) => known(views, view)

  return {
    async ready() {
      await Promise.all([...views.values()].map(({ follower }) => follower.ready))
    },
    position: (view) => named(view).follower.position(),
    async reached(view, position, timeoutMs) {
      const { follower } = named(view)
      const reached = follower.waiting.wait(position, timeoutMs)
      follower.nudge()
      const isThere = await reached
      if (!isThere && follower.state() === 'waiting') throw new ViewsUnavailable(`${view} cannot follow the log`)
      return isThere
    },
    table: (view) => named(view).follower.table(),

    async get<R extends Row>(view: string, keys: readonly string[]) {
      const { position, rows } = await known(lookers, view)((table) => store.read(table, keys))
      // What stands in a view's table is what its projection folded.
      return { position, rows: rows.map((row) => (isParked(row) ? undefined : (row as R | undefined))) }
    },
    scan: (view, range) => known(lookers, view)((table) => store.scan(table, range)),

    async rebuild(view) {
      const { projection, follower } = named(view)
      const rebuilt = await rebuildFrom(tail, { store, projection, batch, onAlarm })
      follower.nudge(true)
      return rebuilt
    },
    verify: (view) => verifyFrom(tail, { log, store, projection: named(view).projection }),

    status() {
      const now = systemClock.now()
      return Object.fromEntries([...views].map(([view, { follower }]) => [view, statusOf(follower, now)]))
    },
    async stop() {
      const stopped = [...views.values()].map(({ follower }) => follower.stop())
      await Promise.all([tail.stop(), ...stopped])
    },
  }
}

function known<T>(views: ReadonlyMap<string, T>, view: string): T {
  const found = views.get(view)
  if (found === undefined)
    throw new Error(`there is no view ${JSON.stringify(view)}, only ${[...views.keys()].join(', ')}`)
  return found
}

const statusOf = (follower: ViewFollower, now: number): ViewStatus => ({
  state: follower.state(),
  isMaking: follower.isMaking(),
  table: follower.table(),
  position: follower.position(),
  lagMs: follower.lagMs(now),
  parked: follower.parked(),
})
