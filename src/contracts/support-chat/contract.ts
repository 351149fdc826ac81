import { isStaff } from '../../../machines/kernel.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import { comings } from '../../../projections/comings.ts'
import { people } from '../../../projections/people.ts'
import type { Contract } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { onlineIn } from '../../delivery/online-model.ts'
import { tokenBuckets } from '../../gateway/auth/limits.ts'
import { zoneOf } from '../../gateway/http/zone.ts'
import { abandonedChats } from './abandoned-chats.ts'
import { deskRooms } from './audiences.ts'
import { chatsModel, flaggedIn, openChatsOf, orgOfEnded, unclaimedIn } from './chats-model.ts'
import { contentsAgain } from './contents.ts'
import { deskFeeds } from './feeds.ts'
import { flaggedRefill } from './flagged-refill.ts'
import { handingOn } from './handing-on.ts'
import { chatRoutes } from './http.ts'
import { supportChatAsked, supportChatInbound } from './inbound.ts'
import { chatList } from './list.ts'
import { deskPast } from './missed.ts'
import { staffInit } from './opening.ts'
import { ownChats } from './own-chats.ts'
import { queueRoom } from './queue-room.ts'
import { supportChatRefusals } from './refusals.ts'
import { replays as openReplays } from './replays.ts'
import { replayShapes, staffInitShape, supportChatShapes, visitorInitShape } from './shapes.ts'
import { usersOf } from './users.ts'
import { visitorChats } from './visitor-chats.ts'
import { visitorOpening } from './visitor-opening.ts'

/** Contract 001: visitors, agents and supervisors at one desk. */
export const supportChat: Contract = {
  name: 'support-chat',
  namespace: '/',
  views: [chats, comings, people],
  wire: supportChatShapes,
  toOne: { staff_init: staffInitShape, visitor_init: visitorInitShape, ...replayShapes },
  calls: supportChatAsked,
  refusals: supportChatRefusals,
  open(node) {
    const { config, log, entities, clock, online, profiles, follower, onError } = node
    const open: LiveModel<ChatRow> = chatsModel(log, { onShort: (list) => refill(orgOfEnded(list)) })
    const refill = flaggedRefill({ ...node, chats: open, onError: (error) => onError(error, 'flagged-chats') })
    const ofVisitors = visitorChats(entities, log)
    const isOurs = ownChats({ log, chats: open })
    const replays = openReplays({ log, entities, isOurs, clock, onError })
    const abandoned = abandonedChats({
      chats: open,
      online,
      entities,
      clock,
      onStaffGone: config.onStaffGone,
      onError: (error) => onError(error, 'abandoned-chats'),
    })
    return {
      feeds: Object.values(deskFeeds(open, node)),
      inbound: supportChatInbound({
        entities,
        isOurs,
        visitorChats: ofVisitors,
        replays,
        queueRoom: queueRoom(open, config),
        perWriter: tokenBuckets(config.chatWriting),
        handOn: handingOn(node),
        tellContents: contentsAgain({ ...node, chats: open }),
      }),
      rooms: deskRooms,
      prepare(connection) {
        const { kind, party } = connection
        return kind === 'app' && party.role === 'visitor' ? visitorOpening(connection, open, node) : undefined
      },
      past: deskPast({ ...node, chats: open, visitorChats: ofVisitors }),
      arrive({ kind, party: { org, id, role }, emit, isResumed }) {
        if (isResumed() || kind !== 'app' || !isStaff(role)) return undefined
        const rows = {
          own: open.list(openChatsOf(org, id)),
          unclaimed: open.list(unclaimedIn(org)),
          flagged: open.list(flaggedIn(org)),
          online: online.list(onlineIn(org)),
        }
        emit('staff_init', staffInit({ ...rows, pos: follower.pos(), users: usersOf(profiles, org) }))
        return undefined
      },
      routes: (app) =>
        chatRoutes(app, {
          ...{ log, entities, isOurs, chats: chatList(node.views, node.upTo), zone: zoneOf(config.timeZone) },
        }),
      policies: [abandoned],
      stop() {
        abandoned.stop()
        replays.forget()
      },
    }
  },
}
