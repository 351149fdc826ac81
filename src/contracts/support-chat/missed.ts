import { isStaff } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import { comings } from '../../../projections/comings.ts'
import { people } from '../../../projections/people.ts'
import type { Node } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { movedSince, presenceStream } from '../../delivery/moved.ts'
import type { Past } from '../../delivery/past.ts'
import { chatsModel, flaggedIn } from './chats-model.ts'
import { deskFeeds } from './feeds.ts'
import type { VisitorChats } from './visitor-chats.ts'

export interface DeskPastParts extends Pick<Node, 'views' | 'log'> {
  readonly chats: LiveModel<ChatRow>
  readonly visitorChats: Pick<VisitorChats, 'movedSince'>
}

/** What people at a desk have missed: visitors of their own chats, staff of all that happened in their organisation. */
export const deskPast = ({ views, log, chats: live, visitorChats }: DeskPastParts): Past => ({
  async streams({ kind, party }, from, upTo) {
    if (kind !== 'app') return []
    if (party.role === 'visitor')
      return (await visitorChats.movedSince(party, from)).map((room) => ({ name: streamName('chat', room) }))
    if (!isStaff(party.role)) return []
    const moved = (view: string) => movedSince(views, view, party.org, { from, upTo })
    const [rooms, came, changed] = await Promise.all([moved(chats.name), moved(comings.name), moved(people.name)])
    // Somebody who is called something else now is told of if they are here.
    const persons = changed.map((key) => key.replace('/', '.'))
    return [
      ...rooms.map((room) => ({ name: streamName('chat', room) })),
      ...persons.map((person) => ({ name: streamName('person', person) })),
      ...[...new Set([...came, ...persons])].map(presenceStream),
    ]
  },
  feeds(models, { party: { org } }) {
    const fresh = chatsModel(log)
    // Whatever did not move meanwhile was flagged then as it is now.
    for (const [room, row] of live.list(flaggedIn(org)))
      if (!models.streams.has(streamName('chat', room))) fresh.adopt(room, row)
    return Object.values(deskFeeds(fresh, models))
  },
})
