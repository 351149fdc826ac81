import { isStaff } from '../../../machines/kernel.ts'
import { chats } from '../../../projections/chats.ts'
import { comings } from '../../../projections/comings.ts'
import { people } from '../../../projections/people.ts'
import type { Contract } from '../../delivery/contract.ts'
import { onlineIn } from '../../delivery/online-model.ts'
import { abandonedChats } from './abandoned-chats.ts'
import { deskRooms } from './audiences.ts'
import { chatsModel, flaggedIn, unclaimedIn } from './chats-model.ts'
import { deskFeeds } from './feeds.ts'
import { chatRoutes } from './http.ts'
import { supportChatInbound } from './inbound.ts'
import { chatList } from './list.ts'
import { deskPast } from './missed.ts'
import { staffInit } from './opening.ts'
import { supportChatRefusals } from './refusals.ts'
import { replays as openReplays } from './replays.ts'
import { supportChatShapes } from './shapes.ts'
import { usersOf } from './users.ts'
import { visitorChats } from './visitor-chats.ts'

/** Contract 001: visitors, agents and supervisors at one desk. */
export const supportChat: Contract = {
  name: 'support-chat',
  namespace: '/',
  views: [chats, comings, people],
  wire: supportChatShapes,
  refusals: supportChatRefusals,
  open(node) {
    const { log, entities, clock, online, profiles, follower, onError } = node
    const open = chatsModel(log)
    const ofVisitors = visitorChats(entities, log)
    const replays = openReplays({ log, entities, clock, onError })
    const abandoned = abandonedChats({
      chats: open,
      online,
      entities,
      clock,
      onError: (error) => onError(error, 'abandoned-chats'),
    })
    return {
      feeds: Object.values(deskFeeds(open, node)),
      inbound: supportChatInbound({ entities, visitorChats: ofVisitors, replays }),
      rooms: deskRooms,
      past: deskPast({ ...node, chats: open, visitorChats: ofVisitors }),
      arrive({ kind, party: { org, role }, emit, isResumed }) {
        if (isResumed() || kind !== 'app' || !isStaff(role)) return undefined
        const rows = {
          unclaimed: open.list(unclaimedIn(org)),
          flagged: open.list(flaggedIn(org)),
          online: online.list(onlineIn(org)),
        }
        emit('staff_init', staffInit({ ...rows, pos: follower.pos(), users: usersOf(profiles, org) }))
        return undefined
      },
      routes: (app) => chatRoutes(app, { log, entities, chats: chatList(node.views, node.upTo) }),
      policies: [abandoned],
      stop() {
        abandoned.stop()
        replays.forget()
      },
    }
  },
}
