import { isOf, streamName } from '../../machines/stream.ts'
import { padded } from '../../projections/padded.ts'
import { ViewsBehind } from '../views/store.ts'
import type { Node } from './contract.ts'
import type { PastStream } from './past.ts'

const PAGE = 500
/** Views follow the log some milliseconds behind; when their node dies, another one takes over within seconds. */
const VIEW_WAIT_MS = 10_000

/**
 * The keys of the rows of a view that moved at the position `from` or later, by its list `moved/<org>/<movedAt>/…`.
 * Rejects with ViewsUnavailable, and with ViewsBehind when the view does not come to `upTo`.
 */
export async function movedSince(
  views: Node['views'],
  view: string,
  org: string,
  { from, upTo }: { readonly from: bigint; readonly upTo: bigint },
): Promise<readonly string[]> {
  if (!(await views.reached(view, upTo, VIEW_WAIT_MS))) throw new ViewsBehind(`${view} is behind the log`)
  const keys: string[] = []
  const list = `moved/${org}/`
  for (let next = list + padded(from < 0n ? 0n : from); ; ) {
    const { entries } = await views.scan(view, { from: next, to: `${list}~`, limit: PAGE })
    keys.push(...entries.map(({ key }) => key))
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return keys
    next = `${last.index}!`
  }
}

/** The presence of `<org>.<id>`. One that is over says nothing about the next one. */
export const presenceStream = (person: string): PastStream => ({
  name: streamName('presence', person),
  endsPast: (recorded) => isOf('presence', recorded) && recorded.event.type === 'WentOffline',
})
