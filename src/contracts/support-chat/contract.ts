import { isStaff } from '../../../machines/kernel.ts'
import { chats } from '../../../projections/chats.ts'
import type { Contract } from '../../delivery/contract.ts'
import { onlineIn } from '../../delivery/online-model.ts'
import { abandonedChats } from './abandoned-chats.ts'
import { deskRooms } from './audiences.ts'
import { chatsModel, flaggedIn, unclaimedIn } from './chats-model.ts'
import { deskFeeds } from './feeds.ts'
import { chatRoutes } from './http.ts'
import { supportChatInbound } from './inbound.ts'
import { chatList } from './list.ts'
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
  views: [chats],
  wire: supportChatShapes,
  refusals: supportChatRefusals,
  open(node) {
    const { log, entities, clock, online, profiles, follower, onError } = node
    const open = chatsModel(log)
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
      inbound: supportChatInbound({ entities, visitorChats: visitorChats(entities), replays }),
      rooms: deskRooms,
      arrive({ kind, party: { org, role }, emit }) {
        if (kind !== 'app' || !isStaff(role)) return undefined
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
