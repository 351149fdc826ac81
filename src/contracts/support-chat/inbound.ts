import { z } from 'zod'
import type { ChatCommand } from '../../../machines/chat/commands.ts'
import type { ChatVisitor } from '../../../machines/chat/events.ts'
import { isStaff, type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Calls, Connection, Inbound, InboundCall, InboundRow } from '../../delivery/connection.ts'
import type { Limit } from '../../gateway/auth/limits.ts'
import type { Entities } from '../../runtime/entities.ts'
import { badRequest } from '../shared/bad-request.ts'
import { asContent, unwrap } from '../shared/content.ts'
import { callOf, clientIdText, idText, mustBeIdOf } from '../shared/ids.ts'
import type { TellContents } from './contents.ts'
import type { Handing, HandOn } from './handing-on.ts'
import type { IsOurs } from './own-chats.ts'
import type { QueueRoom } from './queue-room.ts'
import type { Replays } from './replays.ts'
import type { VisitorChats } from './visitor-chats.ts'

export interface SupportChatAsks {
  readonly entities: Pick<Entities, 'ask'>
  /** Of others' chats nothing is asked: not even how long that takes tells that they exist. */
  readonly isOurs: IsOurs
  readonly handOn: HandOn
  /** Tells a claimer who claims again what is in the chat. */
  readonly tellContents: TellContents
  readonly visitorChats: VisitorChats
  readonly replays: Replays
  readonly queueRoom: QueueRoom
  /** Bytes of content, by person. */
  readonly perWriter: Limit
}

const clientId = clientIdText()
const room = idText(mustBeIdOf('a chat'))
const inRoom = z.object({ room, client_id: clientId })
const writing = inRoom.extend({ content: z.unknown().optional() })
const flagging = inRoom.extend({ severity_level: z.int().min(0).max(100).default(0) })
const replaying = z.object({ room, speed: z.number().min(0.01).max(1000).default(1) })
const handingOver = inRoom.extend({ staff_id: idText(mustBeIdOf('a colleague')) })
const joining = inRoom.extend({ again: z.boolean().optional() })
const leaving = z.object({ client_id: clientId })

/** How visitors' content is read is in `shared/content.ts`; this is what is published of it. */
const visitorContent = z.union([
  z.object({ content: z.record(z.string(), z.unknown()), client_id: clientId }),
  z.record(z.string(), z.unknown()),
])

/** What clients may emit. */
export const supportChatAsked = {
  about: 'room',
  data: {
    visitor_first_msg: visitorContent.describe('A visitor opens a chat. The content bare, or `{content, client_id}`.'),
    visitor_msg_unclaimed: visitorContent.describe('The same as `visitor_msg`.'),
    visitor_msg: visitorContent.describe('The visitor writes. The content bare, or `{content, client_id}`.'),
    visitor_leave_room: leaving.describe('The visitor ends the chat.'),
    staff_join: joining.describe(
      'Claim a chat; whoever serves it already is told again what is in it. `again`: they only, nothing is claimed.',
    ),
    staff_leave_room: inRoom.describe('Whoever serves the chat ends it.'),
    take_over_chat: inRoom.describe('A supervisor or an admin serves from now on what a lower rank served.'),
    transfer_chat: handingOver.describe('Whoever serves the chat hands it to a colleague who is online.'),
    return_chat: inRoom.describe('Whoever serves the chat puts it back into the queue.'),
    assign_chat: handingOver.describe('A supervisor or an admin gives the chat to a colleague who is online.'),
    change_chat_priority: flagging.describe('Staff say how urgent a chat is; 0 = not flagged.'),
    staff_msg: writing.describe('Whoever serves the chat writes.'),
    replay_chat: replaying.describe('A supervisor or an admin is told a chat again, `speed` times as fast.'),
    stop_replay: inRoom.describe('No more of it.'),
  },
} as const satisfies Calls

/** One row per name that a client may emit. */
export function supportChatInbound(asks: SupportChatAsks): Inbound {
  const { entities, isOurs, visitorChats, replays, handOn, tellContents, queueRoom, perWriter } = asks
  const ours =
    (about: string, by: Party, call: InboundCall): InboundCall =>
    async (entered) => {
      const known = isOurs(about, by)
      return known === true || (await known) ? call(entered) : { about, answer: refuse('no-such-chat') }
    }

  /**
   * What staff ask of a chat that they name. A visitor means the own chat and never names it, whatever the machine
   * would allow.
   */
  const toRoom =
    <Shape extends z.ZodType<{ room: string; client_id?: string | null | undefined }>>(
      shape: Shape,
      command: (data: z.output<Shape>, by: Party, at: number) => ChatCommand | Refusal,
    ): InboundRow =>
    ([data], { party }, at) => {
      if (!isStaff(party.role)) return refuse('staff-only')
      const read = shape.safeParse(data)
      if (!read.success) return badRequest(read.error)
      const asked = command(read.data, party, at)
      if (asked instanceof Refusal) return asked
      const { client_id, ...payload } = read.data
      const { room: about } = payload
      return ours(about, party, async (entered) => ({
        about,
        answer: await entities.ask('chat', about, asked, callOf(client_id, payload, entered)),
      }))
    }

  /** Whether this person may write so much more. */
  const paced = (by: Party, bytes: number): Refusal | undefined => {
    const may = perWriter.take(personName(by), bytes)
    return may === true ? undefined : refuse('rate-limited', { seconds: String(Math.ceil(may / 1000)) })
  }

  const visitorWrites =
    (type: 'OpenChat' | 'Write'): InboundRow =>
    (args, from, at) => {
      const { party: by } = from
      const { content: raw, clientId: inside } = unwrap(args[0])
      const sized = asContent(raw)
      if (typeof sized === 'string') return refuse('bad-request', { why: sized })
      const read = clientId.safeParse(inside ?? args[1])
      if (!read.success) return badRequest(read.error, 'client_id')
      const tooFast = paced(by, sized.bytes)
      if (tooFast) return tooFast
      const call = (entered: () => void) => callOf(read.data, sized.content, entered)
      const said = { ...sized, ...queueRoom(by.org, type), by, at }
      if (type === 'Write') return (entered) => visitorChats.askLatest({ type, ...said }, call(entered))
      const visitor = visitorOf(from)
      return (entered) => visitorChats.open({ type, visitor, ...said }, call(entered))
    }

  const write = visitorWrites('Write')

  const claim = toRoom(joining, ({ again = false }, by, at) => ({
    type: 'ClaimChat',
    ...(again ? { again } : {}),
    by,
    at,
  }))

  const handing =
    (type: Handing): InboundRow =>
    ([data], { party: by }, at) => {
      if (!isStaff(by.role)) return refuse('staff-only')
      const read = handingOver.safeParse(data)
      if (!read.success) return badRequest(read.error)
      const { client_id, ...payload } = read.data
      const { room, staff_id: to } = payload
      const ask = { room, to, by, at }
      return ours(room, by, (entered) => handOn(type, ask, callOf(client_id, payload, entered)))
    }

  const rows: Readonly<Record<keyof typeof supportChatAsked.data, InboundRow>> = {
    visitor_first_msg: visitorWrites('OpenChat'),
    visitor_msg_unclaimed: write,
    visitor_msg: write,

    visitor_leave_room: ([data], { party: by }, at) => {
      const read = leaving.safeParse(data ?? {})
      if (!read.success) return badRequest(read.error)
      const command = { type: 'LeaveChat', by, at } as const
      return (entered) => visitorChats.askLatest(command, callOf(read.data.client_id, null, entered))
    },

    staff_join: (args, from, at) => {
      const call = claim(args, from, at)
      if (call instanceof Refusal) return call
      return async (entered) => {
        const outcome = await call(entered)
        const { answer, about } = outcome
        const isRepeat = !(answer instanceof Refusal) && answer.position === null
        if (isRepeat && about !== null) await tellContents(about, from)
        return outcome
      }
    },
    transfer_chat: handing('TransferChat'),
    assign_chat: handing('AssignChat'),
    return_chat: toRoom(inRoom, (_, by, at) => ({ type: 'ReturnChat', by, at })),
    staff_leave_room: toRoom(inRoom, (_, by, at) => ({ type: 'LeaveChat', by, at })),
    take_over_chat: toRoom(inRoom, (_, by, at) => ({ type: 'TakeOverChat', by, at })),
    change_chat_priority: toRoom(flagging, ({ severity_level: severity }, by, at) => ({
      type: 'FlagChat',
      severity,
      by,
      at,
    })),
    staff_msg: toRoom(writing, (data, by, at) => {
      const read = asContent(data.content)
      if (typeof read === 'string') return refuse('bad-request', { why: read })
      return paced(by, read.bytes) ?? { type: 'Write', ...read, by, at }
    }),

    replay_chat: ([data], from) => {
      const read = replaying.safeParse(data)
      if (!read.success) return badRequest(read.error)
      const { room: about, speed } = read.data
      return async () => ({ about, answer: await replays.start(from, about, speed) })
    },
    stop_replay: ([data], from) => {
      const read = inRoom.safeParse(data)
      if (!read.success) return badRequest(read.error)
      const { room: about } = read.data
      return async () => ({ about, answer: replays.stop(from, about) })
    },
  }
  return { rows, about: supportChatAsked.about }
}

/** How a chat that they open will show its visitor, for ever. */
function visitorOf({ person: { profile, createdAt, updatedAt } }: Connection): ChatVisitor {
  return { name: profile.name ?? profile.full_name ?? null, email: profile.email ?? null, createdAt, updatedAt }
}
