import { isStaff } from '../../machines/kernel.ts'
import type { ChatRow } from '../../projections/chats.ts'
import type { OnlineRow } from '../../projections/online.ts'
import type { StaffUser, VisitorUser } from './people.ts'
import { type FlaggedChat, flaggedChat, queuedChat, type StaffInit } from './support-chat-wire.ts'

const FLAGGED_SHOWN = 15

/** What `staff_init` is made of: one organisation's rows, all at the same position of the log. */
export interface Shown {
  readonly unclaimed: ReadonlyMap<string, ChatRow>
  readonly flagged: ReadonlyMap<string, ChatRow>
  readonly online: ReadonlyMap<string, OnlineRow>
  readonly position: bigint
  readonly staff: (id: string) => StaffUser
  readonly visitor: (id: string) => VisitorUser
}

export function staffInit({ unclaimed, flagged, online, position, staff, visitor }: Shown): StaffInit {
  const here = [...online]
  return {
    online_users: here.filter(([, { role }]) => isStaff(role)).map(([id]) => staff(id)),
    online_visitors: here.filter(([, { role }]) => role === 'visitor').map(([id]) => visitor(id)),
    unclaimed_chats: [...unclaimed].map(([room, chat]) => queuedChat(room, chat)),
    flagged_chats: topFlagged(flagged),
    pos: String(position),
  }
}

/** The most recently flagged chats, newest first. */
export function topFlagged(flagged: ReadonlyMap<string, ChatRow>): readonly FlaggedChat[] {
  return [...flagged]
    .sort(([, a], [, b]) => ((a.flaggedAt ?? '') < (b.flaggedAt ?? '') ? 1 : -1))
    .slice(0, FLAGGED_SHOWN)
    .map(([room, chat]) => flaggedChat(room, chat))
}
