import { categoryIn, isOf, streamName } from '../../machines/stream.ts'
import { padded } from '../../projections/padded.ts'
import type { Log } from '../log/log.ts'
import { nextTurn } from '../slices.ts'
import { ViewsBehind } from '../views/store.ts'
import type { Node } from './contract.ts'
import type { PastStream } from './past.ts'

const PAGE = 500
/** Rows are parsed, too. */
const PORTION_CHARACTERS = 64 * 1024
/** Views follow the log some milliseconds behind. */
const VIEW_WAIT_MS = 1_000
/** As many events are looked through where the views do not say what moved. */
const MAX_EVENTS = 50_000

/**
 * The keys of the rows of a view that moved at the position `from` or later, by its list `moved/<whose>/<movedAt>/…`:
 * an organisation's, or a course's within it. Rejects with ViewsUnavailable, and with ViewsBehind when the view does
 * not come to `upTo`.
 */
export async function movedSince(
  views: Node['views'],
  view: string,
  whose: string,
  { from, upTo }: { readonly from: bigint; readonly upTo: bigint },
): Promise<readonly string[]> {
  if (!(await views.reached(view, upTo, VIEW_WAIT_MS))) throw new ViewsBehind(`${view} is behind the log`)
  const keys: string[] = []
  const list = `moved/${whose}/`
  for (let next = list + padded(from < 0n ? 0n : from); ; ) {
    const portion = { from: next, to: `${list}~`, limit: PAGE, characters: PORTION_CHARACTERS }
    const { entries, isCut } = await views.scan(view, portion)
    keys.push(...entries.map(({ key }) => key))
    const last = entries.at(-1)
    if (!last || (entries.length < PAGE && !isCut)) return keys
    await nextTurn()
    next = `${last.index}!`
  }
}

/** The presence of `<org>.<id>`. One that is over says nothing about the next one. */
export const presenceStream = (person: string): PastStream => ({
  name: streamName('presence', person),
  endsPast: (recorded) => isOf('presence', recorded) && recorded.event.type === 'WentOffline',
})

/**
 * The streams of these categories in which something was recorded at the position `from` or later, up to `upTo`, by the
 * log itself: for the moments in which views are behind or away. It costs all that happened since. Rejects with
 * ViewsBehind when that is too much, and with LogUnavailable.
 */
export async function movedInLog(
  log: Pick<Log, 'readAll'>,
  categories: ReadonlySet<string>,
  { from, upTo }: { readonly from: bigint; readonly upTo: bigint },
): Promise<readonly string[]> {
  const names = new Set<string>()
  let count = 0
  for await (const batch of log.readAll(from < 0n ? {} : { from })) {
    for (const { stream, position } of batch) {
      if (position > upTo) return [...names]
      if (++count > MAX_EVENTS) throw new ViewsBehind('views are behind, and too much has happened to look it through')
      if (categories.has(categoryIn(stream))) names.add(stream)
    }
  }
  return [...names]
}
