import { createHash, type Hash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Projection } from '../../projections/projection.ts'
import type { Log } from '../log/log.ts'
import { cutStreams } from './cut-streams.ts'
import { touchesOf } from './fold.ts'
import { memoryViews } from './memory.ts'
import { openPages, type Pages } from './pages.ts'
import { later, positionOf } from './position.ts'
import { type Json, type ViewStore, ViewsUnavailable } from './store.ts'
import { type TableFold, tableFold } from './table-fold.ts'

export interface VerifyOptions {
  readonly log: Log
  readonly store: ViewStore
  readonly projection: Projection
}

export interface Verified {
  readonly equal: boolean
  readonly table: string
  /**
   * SHA-256 over the keys in order of their first event, each with its row as canonical JSON, then the index entries in
   * byte order.
   */
  readonly live: string
  readonly fresh: string
  /** Where the live table stood at the end. */
  readonly position: bigint | null
  readonly rows: number
  /** The first 20 keys and index entries that differ. */
  readonly differences: readonly string[]
  /** Keys whose rows are not compared: a scavenge has taken events of their streams out of the log. */
  readonly cut: readonly string[]
}

const PAGE = 5_000
const LOOKS = 50
const LOOK_MS = 20
const FRESH = 'fresh.fold'

/**
 * Folds the log into memory and compares every row and index entry with the live table. Nothing has to stand still for
 * that: each page of the table is compared at the very position that it was read at, the fresh fold goes on to there
 * first. A row whose stream was cut by a scavenge is left out and named in `cut`. Needs memory for the whole view.
 * Rejects with ViewsUnavailable when the view has no table, or it was switched or emptied meanwhile: try again.
 */
export async function verifyView(options: VerifyOptions): Promise<Verified> {
  return verifyFrom(openPages(options.log), options)
}

/**
 * The same for several views, side by side: they read along with each other, so that the log is read about once. Needs
 * memory for all of them. In the order of `projections`.
 */
export async function verifyViews({
  log,
  store,
  projections,
}: Pick<VerifyOptions, 'log' | 'store'> & { readonly projections: readonly Projection[] }): Promise<
  readonly (Verified & { readonly view: string })[]
> {
  const pages = openPages(log)
  return Promise.all(
    projections.map(async (projection) => ({
      view: projection.name,
      ...(await verifyFrom(pages, { log, store, projection })),
    })),
  )
}

export async function verifyFrom(pages: Pages, { log, store, projection }: VerifyOptions): Promise<Verified> {
  const table = await store.live(projection.name)
  if (table === null) throw new ViewsUnavailable(`the view ${projection.name} has no table yet: wait until it is built`)
  const fresh = memoryViews()
  const fold = tableFold({ store: fresh, projection, table: FRESH, cacheRows: 4 * PAGE, onPoison: () => {} })
  const comparison = compare()
  let position: bigint | null = null

  /** Knows every key that any event names, in log order: a table can hold no other rows but those that were cut. */
  const streams = cutStreams(log, projection)
  const cut = new Set<string>()
  const isCut = async (key: string): Promise<boolean> => {
    if (await streams.isCut(key)) cut.add(key)
    return cut.has(key)
  }
  let rows = 0
  async function bring(to: bigint | null): Promise<void> {
    if (later(position, to))
      throw new ViewsUnavailable(`the table ${table} was switched or emptied while it was compared: verify again`)
    position = to
    await foldUpTo(pages, fold, to, (batch) => {
      for (const touch of touchesOf(projection, batch)) streams.see(touch)
    })
  }

  await bring(positionOf((await store.read(table, [])).upTo))
  // The list grows while it is walked.
  for (let page: string[] = [], walk = streams.keys(); ; page = []) {
    for (let next = walk.next(); !next.done; next = walk.next()) if (page.push(next.value) === PAGE) break
    if (page.length === 0) break
    const stands = await store.read(table, page)
    await bring(positionOf(stands.upTo))
    const should = await fresh.read(FRESH, page)
    for (const [at, key] of page.entries()) {
      if (await isCut(key)) continue
      comparison.add(key, stands.rows[at], should.rows[at])
      rows++
    }
  }

  for (let from = '', limit = PAGE; ; ) {
    const { upTo, entries } = await store.scan(table, { from, to: '\x7f', limit })
    await bring(positionOf(upTo))
    const last = entries.at(-1)?.index
    const full = entries.length === limit && last !== undefined
    // Equal entries at the end of a page may go on in the next one: they wait for it.
    if (full && entries[0]?.index === last) {
      limit *= 2
      continue
    }
    const to = full ? last : '\x7f'
    const should = await fresh.scan(FRESH, { from, to, limit: Number.MAX_SAFE_INTEGER })
    const texts = async (found: typeof entries) => {
      const told: string[] = []
      for (const { index, key } of found) if (index < to && !(await isCut(key))) told.push(`${index} -> ${key}`)
      return told
    }
    comparison.addAll(await texts(entries), await texts(should.entries))
    if (!full) break
    from = to
  }
  return { table, position, rows, ...comparison.result(), cut: [...cut] }
}

async function foldUpTo(
  pages: Pages,
  fold: TableFold,
  to: bigint | null,
  see: (batch: Parameters<TableFold['apply']>[0]) => void,
): Promise<void> {
  let empty = 0
  while (later(to, positionOf(fold.scanned()))) {
    const page = await pages.after(fold.scanned(), PAGE)
    if (page.length === 0) {
      // Another process writes both: its view can be seen a moment before the events that it was folded from.
      if (++empty > LOOKS) throw new ViewsUnavailable(`the live table stands at ${to}, which the log does not reach`)
      await setTimeout(LOOK_MS)
      continue
    }
    empty = 0
    const batch = page.filter(({ position }) => !later(position, to))
    see(batch)
    await fold.apply(batch)
    // Not even the last event of a page need stand at `to`: a table's position is one of an event, but perhaps of one
    // that was deleted.
    if (batch.length < page.length) return
  }
}

/** Hashes two sides and collects where they differ. */
function compare() {
  const hashes: { readonly live: Hash; readonly fresh: Hash } = {
    live: createHash('sha256'),
    fresh: createHash('sha256'),
  }
  const differences: string[] = []
  const differs = (what: string) => {
    if (differences.length < 20) differences.push(what)
  }
  return {
    add(key: string, live: Json | undefined, fresh: Json | undefined): void {
      const [a, b] = [`${key}\0${canonical(live)}\n`, `${key}\0${canonical(fresh)}\n`]
      hashes.live.update(a)
      hashes.fresh.update(b)
      if (a !== b) differs(key)
    },
    addAll(live: readonly string[], fresh: readonly string[]): void {
      hashes.live.update(`${live.join('\n')}\n`)
      hashes.fresh.update(`${fresh.join('\n')}\n`)
      const [a, b] = [new Set(live), new Set(fresh)]
      for (const entry of a) if (!b.has(entry)) differs(entry)
      for (const entry of b) if (!a.has(entry)) differs(entry)
    },
    result() {
      const [live, fresh] = [hashes.live.digest('hex'), hashes.fresh.digest('hex')]
      return { equal: live === fresh, live, fresh, differences }
    },
  }
}

/** JSON with the fields of every object in order, so that equal rows give equal texts. */
function canonical(row: Json | undefined): string {
  return row === undefined
    ? ''
    : JSON.stringify(row, (_, value) => (isPlain(value) ? Object.fromEntries(Object.entries(value).sort()) : value))
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
