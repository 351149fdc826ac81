import { type ChatRow, chats } from '../../projections/chats.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import type { Keeper } from '../views/keeper.ts'
import type { Entry } from '../views/store.ts'
import type { ChatFilter, ChatList } from './http-chats.ts'
import type { PeopleList } from './http-users.ts'

const PAGE = 200
/** A filter that hardly anything passes must not hold a request for ever: then a page may be short, or empty, and still have a `next`. */
const MAX_SCANNED = 5_000

/** Views follow the log some milliseconds behind; whoever lists waits this long for them, then is shown what there is. */
const PATIENCE_MS = 1_000

type Views = Pick<Keeper, 'scan' | 'reached'>

/** Lists from the live view. `upTo` tells the position that it has to show first: whoever was acknowledged something finds it listed. */
export function chatList(views: Views, upTo: () => bigint): ChatList {
  return {
    async list(filter, limit, after) {
      await views.reached(chats.name, upTo(), PATIENCE_MS)
      const prefix = prefixFor(filter)
      const from = prefix + (filter.from === undefined ? '' : moment(filter.from))
      let to = prefix + (after ?? (filter.to === undefined ? '~' : moment(filter.to)))
      const found: (readonly [string, ChatRow])[] = []
      for (let scanned = 0; scanned < MAX_SCANNED; scanned += PAGE) {
        const { entries } = await views.scan(chats.name, { from, to, limit: PAGE, backwards: true })
        for (const { index, key, row } of entries) {
          to = index
          if (!passes(row, filter)) continue
          found.push([key, row as unknown as ChatRow]) // the view's rows, but for parked ones, are what its projection folds
          if (found.length === limit) return { chats: found, next: to.slice(prefix.length) }
        }
        if (entries.length < PAGE) return { chats: found }
      }
      return { chats: found, next: to.slice(prefix.length) }
    },
  }
}

/** The index that leaves least to sift. All of them go by the time of opening. */
function prefixFor({ org, staff, visitor, state }: ChatFilter): string {
  if (visitor !== undefined) return `visitor/${org}/${visitor}/`
  if (staff !== undefined) return `staff/${org}/${staff}/`
  if (state === 'open') return `open/${org}/`
  return state === undefined ? `all/${org}/` : `status/${org}/${state}/`
}

function passes(row: Entry['row'], { state, staff, visitor }: ChatFilter): boolean {
  if (typeof row !== 'object' || row === null || 'parked' in row) return false
  const chat = row as unknown as ChatRow
  if (state !== undefined && (state === 'open' ? chat.status === 'closed' : chat.status !== state)) return false
  return (staff === undefined || chat.servedBy.includes(staff)) && (visitor === undefined || chat.visitorId === visitor)
}

const moment = (milliseconds: number): string => String(milliseconds).padStart(14, '0')

/** The same for people. */
export function peopleList(views: Views, upTo: () => bigint): PeopleList {
  return {
    async list(org, { limit, after }) {
      await views.reached(people.name, upTo(), PATIENCE_MS)
      const prefix = `users/${org}/`
      const from = after === undefined ? prefix : `${prefix}${after}!` // "!" sorts before every character of an id
      const { entries } = await views.scan(people.name, { from, to: `${prefix}~`, limit: limit + 1 })
      const rows = entries.flatMap(({ row }) =>
        typeof row === 'object' && row !== null && !('parked' in row) ? [row as unknown as PersonRow] : [],
      )
      const last = rows[limit - 1]
      return entries.length > limit && last ? { people: rows.slice(0, limit), next: last.id } : { people: rows }
    },
  }
}
