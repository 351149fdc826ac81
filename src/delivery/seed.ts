import type { Checkpoint, Log } from '../log/log.ts'
import { standingOf } from '../log/standing.ts'
import { type ViewStore, ViewsUnavailable } from '../views/store.ts'
import type { Model } from './feed.ts'

const PAGE = 1_000

/**
 * A list of a view, up to and with its last `/`; or of each list that begins so, `<list><one>/…`, the last `newest`
 * rows.
 */
export type SeedList = string | { readonly each: string; readonly newest: number }

/**
 * Gives every row of these lists of a view, as the live table holds them, to `put`, each as often as it is listed, and
 * the event that none of them is behind: following the log from there makes them exact, because a row ignores what it
 * has seen. Null when the view has no table yet, or is of another past than the log (which was put back from a backup,
 * or replaced): then the log tells everything. Rejects with ViewsUnavailable.
 */
export async function seedFrom<R>(
  store: ViewStore,
  log: Log,
  view: string,
  lists: readonly SeedList[],
  put: (key: string, row: R) => void,
): Promise<Checkpoint | null> {
  const table = await store.live(view)
  if (table === null) return null
  const { upTo } = await store.read(table, [])
  if (upTo === null) return null
  const rows: [key: string, row: R][] = []
  const take = (key: string, row: R): void => void rows.push([key, row])
  for (const list of lists) {
    if (typeof list === 'string') await eachRow<R>(store, table, list, take)
    else await newestRows<R>(store, table, list, take)
  }
  // The rows may be newer than `upTo`, and then what folded them counts, too.
  const { upTo: after } = await store.read(table, [])
  if (after === null || (await standingOf(log, after)) !== 'stands') return null
  for (const row of rows) put(...row)
  return upTo
}

/** The rows are those of the checkpoint that was read before, or newer. */
async function eachRow<R>(store: ViewStore, table: string, list: string, put: (key: string, row: R) => void) {
  for (let from = list; ; ) {
    const { entries } = await store.scan(table, { from, to: `${list}~`, limit: PAGE })
    // Rows are what the projection of this view folded.
    for (const { key, row } of entries) if (!isParked(row)) put(key, row as unknown as R)
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return
    // Sorts before everything that could follow: ids and numbers have no character below "-".
    from = `${last.index}!`
  }
}

/** The same of the last rows of each list, from the last list to the first. */
async function newestRows<R>(
  store: ViewStore,
  table: string,
  { each, newest }: { readonly each: string; readonly newest: number },
  put: (key: string, row: R) => void,
) {
  for (let to = `${each}~`; ; ) {
    const { entries } = await store.scan(table, { from: each, to, limit: newest, backwards: true })
    const [last] = entries
    if (!last) return
    const one = last.index.slice(0, last.index.indexOf('/', each.length) + 1)
    for (const { index, key, row } of entries)
      if (index.startsWith(one) && !isParked(row)) put(key, row as unknown as R)
    to = one
  }
}

const isParked = (row: unknown): boolean => typeof row === 'object' && row !== null && 'parked' in row

interface SeedHooks {
  /** The views do not answer. */
  readonly onAway: (error: ViewsUnavailable) => void
  /** Something is left out, because it cannot be read. */
  readonly onError: (error: unknown) => void
}

/**
 * Loads every model from the views. Gives the event from which on the log makes all of them exact; null = the
 * beginning, because a model asks for it or because the views do not answer (which `onAway` is told).
 */
export async function seedModels(
  models: readonly Model<unknown>[],
  store: ViewStore,
  log: Log,
  { onAway, onError }: SeedHooks,
): Promise<Checkpoint | null> {
  let lowest: Checkpoint | null | undefined
  try {
    for (const model of models) {
      const upTo = await model.seed(store, log, onError)
      if (upTo === null) lowest = null
      else if (lowest !== null && (lowest === undefined || upTo.position < lowest.position)) lowest = upTo
    }
  } catch (error) {
    if (!(error instanceof ViewsUnavailable)) throw error
    onAway(error)
    return null
  }
  return lowest ?? null
}
