import type { Projection } from '../../projections/projection.ts'
import { backOffMs } from '../back-off.ts'
import { AnotherPast, type Checkpoint, LogUnavailable } from '../log/log.ts'
import { nextTurn } from '../slices.ts'
import type { Alarm } from './alarm.ts'
import { VIEW_BACK_OFF } from './back-off.ts'
import { PARKED } from './fold.ts'
import { places, type Spot } from './place.ts'
import { isSame, later, positionOf } from './position.ts'
import { type ViewStore, ViewsUnavailable } from './store.ts'
import { type TableFold, tableFold } from './table-fold.ts'
import type { Tail } from './tail.ts'
import { type Waiters, waiters } from './waiters.ts'

export interface ViewFollowerOptions {
  readonly store: ViewStore
  readonly projection: Projection
  readonly tail: Tail
  /** Events per commit at most. */
  readonly batch: number
  /**
   * How often a view that has nothing to do looks at the store: is the table still there, does somebody else move it?
   */
  readonly pollMs: number
  readonly cacheRows: number
  onAlarm(alarm: Alarm): void
}

/**
 * `building`: makes a table that does not serve yet. `following`: folds what comes. `standby`: another node does.
 * `superseded`: a newer version of the view serves, and is folded by newer nodes. `waiting`: the store or the log does
 * not answer.
 */
export type ViewFollowerState = 'starting' | 'building' | 'following' | 'standby' | 'superseded' | 'waiting'

/** One view, kept up with the log by one loop. */
export interface ViewFollower {
  /** The table that serves readers, null when there is none (as far as known). */
  table(): string | null
  /** Up to where that table is true. */
  position(): bigint | null
  /**
   * Where a table that stands at `stored` is true up to: further, when this node knows that nothing in between changes
   * it.
   */
  extent(table: string, stored: Checkpoint | null): bigint | null
  /** The log holds the event that a table stands at. Rejects with LogUnavailable. */
  isOurs(stored: Checkpoint | null): boolean | Promise<boolean>
  /** The table is of another past than the log: nobody is to be shown it. */
  mistrusts(table: string): boolean
  /** The log is empty, as far as this node knows: only then a table that stands at null is complete. */
  blank(): boolean
  state(): ViewFollowerState
  /**
   * It is on its way to what its readers may be shown: they are put off. False also while the store does not answer,
   * because then nothing is on its way.
   */
  isMaking(): boolean
  parked(): number
  /** Milliseconds between now and the oldest event that is not folded yet, by the log's clock. */
  lagMs(now: number): number
  readonly waiting: Waiters
  /**
   * Resolves when a table of this version (or a newer one) serves and has come to the end that the log had at the
   * start; rejects when stopped before.
   */
  readonly ready: Promise<void>
  /** Look now: the log has moved, somebody waits, or (`doubt`) the table seems not to be what it was. */
  nudge(doubt?: boolean): void
  stop(): Promise<void>
}

/** After so many polls without a move, with events to fold, whoever folded the table is taken for dead. */
const STUCK_POLLS = 2
/** The same for a table of a newer version: nodes are being replaced, that takes a while. */
const SUPERSEDED_STUCK_POLLS = 30
/** How often a table that others move is looked at while somebody waits for it. */
const WATCH_MS = 20
/** After so many failures in a row the store counts as away. */
const AWAY_FAILURES = 4

export function followView(options: ViewFollowerOptions): ViewFollower {
  const { store, projection, tail, pollMs, onAlarm } = options
  const view = projection.name
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {}) // nobody has to wait for it
  const make = (table: string): TableFold =>
    tableFold({
      store,
      projection,
      table,
      cacheRows: options.cacheRows,
      onPoison: (poison) => onAlarm({ kind: 'parked', view, ...poison }),
    })
  const locate = places({ store, projection, tail, make, onAlarm })

  let place: Spot | null = null
  let state: ViewFollowerState = 'starting'
  let standby = false
  let parked = 0
  let limit = options.batch
  let failures = 0
  let foldedAt = 0
  let stopped = false
  let isReady = false
  let nudged = false
  let doubted = false
  let wake: () => void = () => {}

  const position = (): bigint | null =>
    place === null ? null : place.serves ? positionOf(place.fold.scanned()) : place.shown
  const waiting = waiters((wanted) => place !== null && place.live !== null && !later(wanted, position()))
  const behind = (fold: TableFold): boolean => later(tail.head(), positionOf(fold.scanned()))
  const done = run()

  async function run(): Promise<void> {
    const start = positionOf(await tail.started)
    while (!stopped) {
      try {
        const before = place
        place = await locate(before)
        standby = place.fold === before?.fold ? standby || place.overtaken : false
        await stay(place, start)
      } catch (error) {
        await failed(error)
      }
    }
    ready.reject(new Error(`the view ${view} was stopped before it was ready`))
  }

  /** Returns when the view must be located anew: its table is not what it was, or another one serves. */
  async function stay(here: Spot, start: bigint | null): Promise<void> {
    let pollAt = 0
    let stuckPolls = 0
    for (;;) {
      if (stopped) return
      nudged = false
      const due = performance.now() >= pollAt
      if (due || doubted) {
        doubted = false
        const before = here.fold.stored()
        if (!(await poll(here))) return
        if (due) {
          pollAt = performance.now() + pollMs * (0.75 + Math.random() / 2)
          // Whoever folds the table writes its position at every poll, even when no row has changed.
          const isStuck = later(tail.head(), positionOf(before)) && isSame(before, here.fold.stored())
          stuckPolls = isStuck ? stuckPolls + 1 : 0
        }
        if (stuckPolls > (here.newer ? SUPERSEDED_STUCK_POLLS : STUCK_POLLS)) {
          if (here.newer) return locate.giveUp(here)
          standby = false
        }
      } else if ((standby || here.newer) && waiting.any()) await watch(here)
      state = here.newer ? 'superseded' : standby ? 'standby' : here.serves ? 'following' : 'building'
      if (!standby && !here.newer) {
        const moved = await advance(here.fold)
        if (moved === 'lost') return
        if (moved === 'on') continue
      }
      if (here.serves && !later(start, position())) {
        isReady = true
        ready.resolve()
      }
      waiting.moved()
      if (!here.serves && !behind(here.fold)) {
        await here.fold.settle()
        await store.promote(view, here.live, here.fold.table)
        return
      }
      const untilPoll = pollAt - performance.now()
      await pause(waiting.any() && (standby || here.newer) ? Math.min(untilPoll, WATCH_MS) : untilPoll)
    }
  }

  /** One batch. `idle`: nothing to fold now. */
  async function advance(fold: TableFold): Promise<'on' | 'idle' | 'lost'> {
    const scanned = fold.scanned()
    const recent = tail.recent(scanned, limit)
    const events = recent ?? (await tail.after(scanned, limit))
    if (events.length === 0) return 'idle'
    if ((await fold.apply(events)) === 'lost') return 'lost'
    failures = 0
    foldedAt = events.at(-1)?.at ?? foldedAt
    waiting.moved()
    // A long way to catch up must not keep sockets waiting: the event loop gets a turn after each batch of it.
    if (recent === null || events.length === limit) await nextTurn()
    limit = Math.min(limit * 2, options.batch)
    return 'on'
  }

  /** A look at the store; false when the table is not what it was. */
  async function poll(here: Spot): Promise<boolean> {
    if ((await store.live(view)) !== here.live) return false
    if (here.live !== null && !here.serves) here.shown = positionOf((await store.read(here.live, [])).upTo)
    if (standby || here.newer) {
      await watch(here)
      if (!here.newer && (await isOfAnotherPast(here.fold))) return false
    } else if (!(await here.fold.settle())) return false
    const range = { from: PARKED, to: `${PARKED}\x7f`, limit: 100 }
    const { upTo, entries } = await store.scan(here.fold.table, range)
    parked = entries.length
    failures = 0
    return standby || here.newer || isSame(upTo, here.fold.stored())
  }

  /** Whoever folded it may not have heard yet that the log was replaced. */
  async function isOfAnotherPast({ stored }: TableFold): Promise<boolean> {
    const upTo = stored()
    return upTo !== null && tail.recent(upTo, 0) === null && (await tail.standing(upTo)) === 'other'
  }

  /** Sees where others have brought the table. */
  async function watch({ fold, newer }: Spot): Promise<void> {
    await fold.reload()
    // What a newer version makes of an event is unknown here.
    if (!newer) fold.skip(tail.recent(fold.scanned(), options.batch) ?? [])
  }

  async function failed(error: unknown): Promise<void> {
    // Of another past: `locate` finds out, and builds another table.
    const expected = [ViewsUnavailable, LogUnavailable, AnotherPast].some((kind) => error instanceof kind)
    if (!expected && state !== 'waiting') onAlarm({ kind: 'failing', view, error })
    state = 'waiting'
    // Perhaps the batch was too much for the store.
    limit = Math.max(1, limit >> 1)
    const until = performance.now() + backOffMs(failures++, VIEW_BACK_OFF)
    while (!stopped && performance.now() < until) {
      nudged = false // news do not shorten the pause
      await pause(until - performance.now())
    }
  }

  function pause(ms: number): Promise<void> {
    if (nudged || stopped || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  return {
    table: () => place?.live ?? null,
    position,
    extent: (table, stored) =>
      positionOf(
        place?.serves && place.fold.table === table && isSame(place.fold.stored(), stored)
          ? place.fold.scanned()
          : stored,
      ),
    isOurs: locate.isOurs,
    mistrusts: locate.mistrusts,
    blank: () => tail.head() === null,
    state: () => state,
    isMaking() {
      if (locate.mistrusted() !== null) return true
      return (!isReady || !place?.live) && failures < AWAY_FAILURES
    },
    parked: () => parked,
    lagMs(now) {
      if (place && !behind(place.fold)) return 0
      const oldest = place && tail.recent(place.fold.scanned(), 1)?.[0]?.at
      return Math.max(0, now - (oldest ?? foldedAt))
    },
    waiting,
    ready: ready.promise,
    nudge(doubt = false) {
      nudged = true
      doubted ||= doubt
      wake()
    },
    async stop() {
      stopped = true
      waiting.end()
      wake()
      await done
    },
  }
}
