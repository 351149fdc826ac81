import { type ChatRow, chats } from '../../../projections/chats.ts'
import { type Period, type TimeList, timeList } from '../../gateway/http/pages.ts'

/** Which chats to list: entries of one index of the view `chats`, newest first. */
export interface ChatFilter extends Period {
  readonly org: string
  readonly state: ChatRow['status'] | 'open' | undefined
  readonly staff: string | undefined
  readonly visitor: string | undefined
}

export type ChatList = TimeList<ChatRow, ChatFilter>

export const chatList = timeList<ChatRow, ChatFilter>({ view: chats.name, prefixFor, passes })

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
