import { type ChatRow, chats } from '../../../projections/chats.ts'
import { type Page, pageOf, type Views } from '../../gateway/http/pages.ts'

/**
 * Which chats to list: entries of one index of the view `chats`, newest first. Times in milliseconds; `to` exclusive.
 */
export interface ChatFilter {
  readonly org: string
  readonly state: ChatRow['status'] | 'open' | undefined
  readonly staff: string | undefined
  readonly visitor: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

export interface ChatList {
  list(filter: ChatFilter, limit: number, after: string | undefined): Promise<Page<ChatRow>>
}

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
