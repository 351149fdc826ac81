import { type ChatRow, chats } from '../../../projections/chats.ts'
import { type PersonRow, people } from '../../../projections/people.ts'
import { pageOf, VIEW_WAIT_MS, type Views } from '../../gateway/http/pages.ts'
import type { PeopleList } from '../accounts/http-users.ts'
import type { ChatFilter, ChatList } from './http.ts'

/** Lists from the live view. `upTo` tells the position that it has to show first. */
export function chatList(views: Views, upTo: () => bigint): ChatList {
  return {
    list: (filter, limit, after) =>
      pageOf<ChatRow>(views, {
        view: chats.name,
        upTo: upTo(),
        prefix: prefixFor(filter),
        from: filter.from,
        to: filter.to,
        after,
        limit,
        passes: (chat) => passes(chat, filter),
      }),
  }
}

/** The index that leaves least to sift. All of them go by the time of opening. */
function prefixFor({ org, staff, visitor, state }: ChatFilter): string {
  if (visitor !== undefined) return `visitor/${org}/${visitor}/`
  if (staff !== undefined) return `staff/${org}/${staff}/`
  if (state === 'open') return `open/${org}/`
  return state === undefined ? `all/${org}/` : `status/${org}/${state}/`
}

function passes(chat: ChatRow, { state, staff, visitor }: ChatFilter): boolean {
  if (state !== undefined && (state === 'open' ? chat.status === 'closed' : chat.status !== state)) return false
  return (staff === undefined || chat.servedBy.includes(staff)) && (visitor === undefined || chat.visitorId === visitor)
}

/** The same for people. */
export function peopleList(views: Views, upTo: () => bigint): PeopleList {
  return {
    async list(org, { limit, after }) {
      await views.reached(people.name, upTo(), VIEW_WAIT_MS)
      const prefix = `users/${org}/`
      const from = after === undefined ? prefix : `${prefix}${after}!` // "!" sorts before every character of an id
      const { entries } = await views.scan(people.name, { from, to: `${prefix}~`, limit: limit + 1 })
      // what the view folded; parked rows stand in no list
      const rows = entries.map(({ row }) => row as unknown as PersonRow)
      const last = rows[limit - 1]
      return entries.length > limit && last ? { people: rows.slice(0, limit), next: last.id } : { people: rows }
    },
  }
}
