import { lastOf } from '../log/last-of.ts'
import type { Log } from '../log/log.ts'
import { type ViewStore, ViewsUnavailable } from '../views/store.ts'
import type { Model } from './feed.ts'

const PAGE = 1_000

/**
 * Gives every row of these lists of a view, as the live table holds them, to `put`, each as often as it is listed, and
 * the position that none of them is behind: following the log from there makes them exact, because a row ignores what
 * it has seen. Null when the view has no table yet, or claims to know more than the log has (the log was put back from
 * a backup): then the log tells everything. Rejects with ViewsUnavailable.
 */
export async function seedFrom<R>(
  store: ViewStore,
  log: Log,
  view: string,
  lists: readonly string[],
  put: (key: string, row: R) => void,
): Promise<bigint | null> {
  const head = (await lastOf(log))?.position ?? -1n
  const table = await store.live(view)
  const position = table === null ? null : (await store.read(table, [])).position
  if (table === null || position === null || position > head) return null
  for (const list of lists) await eachRow<R>(store, table, list, put)
  return position
}

/** The rows are those of the position that was read before, or newer. */
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

const isParked = (row: unknown): boolean => typeof row === 'object' && row !== null && 'parked' in row

interface SeedHooks {
  /** The views do not answer. */
  readonly onAway: (error: ViewsUnavailable) => void
  /** Something is left out, because it cannot be read. */
  readonly onError: (error: unknown) => void
}

/**
 * Loads every model from the views. Gives the position from which the log makes all of them exact; null = the
 * beginning, because a model asks for it or because the views do not answer (which `onAway` is told).
 */
export async function seedModels(
  models: readonly Model<unknown>[],
  store: ViewStore,
  log: Log,
  { onAway, onError }: SeedHooks,
): Promise<bigint | null> {
  let lowest: bigint | null | undefined
  try {
    for (const model of models) {
      const position = await model.seed(store, log, onError)
      if (position === null) lowest = null
      else if (lowest !== null && (lowest === undefined || position < lowest)) lowest = position
    }
  } catch (error) {
    if (!(error instanceof ViewsUnavailable)) throw error
    onAway(error)
    return null
  }
  return lowest ?? null
}
