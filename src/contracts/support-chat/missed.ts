import { isStaff } from '../../../machines/kernel.ts'
import { idIn, streamName } from '../../../machines/stream.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import { comings } from '../../../projections/comings.ts'
import { people } from '../../../projections/people.ts'
import type { Node } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { movedInLog, movedSince, presenceStream } from '../../delivery/moved.ts'
import type { Past, PastStream } from '../../delivery/past.ts'
import { ViewsUnavailable } from '../../views/store.ts'
import { chatHistory, chatsModel, flaggedIn } from './chats-model.ts'
import { deskFeeds } from './feeds.ts'
import type { VisitorChats } from './visitor-chats.ts'

export interface DeskPastParts extends Pick<Node, 'views' | 'log'> {
  readonly chats: LiveModel<ChatRow>
  readonly visitorChats: Pick<VisitorChats, 'movedSince'>
}

/** What people at a desk have missed: visitors of their own chats, staff of all that happened in their organisation. */
export function deskPast({ views, log, chats: live, visitorChats }: DeskPastParts): Past {
  const history = chatHistory(log)
  const byViews = async (org: string, from: bigint, upTo: bigint): Promise<readonly PastStream[]> => {
    const moved = (view: string) => movedSince(views, view, org, { from, upTo })
    const [rooms, came, changed] = await Promise.all([moved(chats.name), moved(comings.name), moved(people.name)])
    return streamsOf(
      rooms,
      came,
      changed.map((key) => key.replace('/', '.')),
    )
  }

  /** Those of other organisations are among them: nothing of theirs is told here. */
  const byLog = async (from: bigint, upTo: bigint): Promise<readonly PastStream[]> => {
    const names = await movedInLog(log, CATEGORIES, { from, upTo })
    const ids = (category: 'chat' | 'presence' | 'person') => names.flatMap((name) => idIn(category, name) ?? [])
    return streamsOf(ids('chat'), ids('presence'), ids('person'))
  }

  return {
    async streams({ kind, party }, from, upTo) {
      if (kind !== 'app') return []
      if (party.role === 'visitor') return (await visitorChats.movedSince(party, from)).map(chatStream)
      if (!isStaff(party.role)) return []
      try {
        return await byViews(party.org, from, upTo)
      } catch (error) {
        if (!(error instanceof ViewsUnavailable)) throw error
        return byLog(from, upTo)
      }
    },
    feeds(models, { party: { org } }) {
      const fresh = chatsModel(log, { history })
      // Whatever did not move meanwhile was flagged then as it is now.
      for (const [room, row] of live.list(flaggedIn(org)))
        if (!models.streams.has(streamName('chat', room))) fresh.adopt(room, row)
      return Object.values(deskFeeds(fresh, models))
    },
  }
}

/** Its row is made as it was at any event. */
const chatStream = (room: string): PastStream => ({ name: streamName('chat', room), endsPast: () => true })

const CATEGORIES: ReadonlySet<string> = new Set(['chat', 'presence', 'person'])

/** Somebody who is called something else now is told of if they are here: so their presence is looked at, too. */
const streamsOf = (
  rooms: readonly string[],
  came: readonly string[],
  changed: readonly string[],
): readonly PastStream[] => [
  ...rooms.map(chatStream),
  ...changed.map((person) => ({ name: streamName('person', person) })),
  ...[...new Set([...came, ...changed])].map(presenceStream),
]
