import type { ChatEvent } from '../../../machines/chat/events.ts'
import { personIn } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { PersonRow } from '../../../projections/people.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Change, Feed, Foreseeing } from '../../delivery/feed.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { flaggedIn } from './chats-model.ts'
import { chatNotices, staffIn } from './notices.ts'
import { topFlagged } from './opening.ts'
import { presenceNotices, renamedNotices } from './presence-notices.ts'
import { usersOf } from './users.ts'

export interface DeskFeeds {
  readonly chats: Feed<Change<ChatRow, ChatEvent>>
  readonly presence: Feed<Change<OnlineRow>>
  readonly names: Feed<Change<PersonRow>>
}

/** What the people at a desk are told: of chats, of each other's coming and going, of new names. */
export function deskFeeds(
  chats: LiveModel<ChatRow>,
  { online, profiles }: Pick<Node, 'online' | 'profiles'>,
): DeskFeeds {
  return {
    chats: {
      model: chats as Foreseeing<Change<ChatRow, ChatEvent>>, // chats record no other events
      people: (change) => staffIn(change).map((id) => ({ org: change.after?.org ?? '', id })),
      notices(change, names) {
        const org = change.after?.org ?? ''
        const { staff } = usersOf(names, org)
        return chatNotices(change, { staff, flagged: () => topFlagged(chats.list(flaggedIn(org))) })
      },
    },
    presence: {
      model: online,
      people: ({ key, before, after }) => (hasPart((after ?? before)?.role) ? [personIn(key)] : []),
      notices(change, names) {
        const { org, id } = personIn(change.key)
        const role = (change.after ?? change.before)?.role
        const who = role && usersOf(names, org).somebody(id, role)
        return who ? presenceNotices(change, who) : []
      },
    },
    names: {
      model: profiles,
      notices(change, names) {
        const { org, id } = personIn(change.key)
        const here = online.get(change.key)
        const who = here && usersOf(names, org).somebody(id, here.role)
        return who ? renamedNotices(change, who) : []
      },
    },
  }
}

/** Teachers and students have no part in the desk. */
const hasPart = (role: OnlineRow['role'] | undefined): boolean =>
  role !== undefined && role !== 'teacher' && role !== 'student'
