import { z } from 'zod'
import type { ChatCommand } from '../../../machines/chat/commands.ts'
import type { ChatVisitor } from '../../../machines/chat/events.ts'
import { isStaff, type Party, type Refusal, refuse } from '../../../machines/kernel.ts'
import { asContent, unwrap } from '../shared/content.ts'

/** Who emits: the token's person, and how a visitor is called (what a chat that they open will show). */
export interface Caller {
  readonly party: Party
  readonly visitor: ChatVisitor
}

/**
 * What an emitted event asks for, decoded. `own-chat` is the visitor's latest chat, `new-chat` that or the next one.
 */
export type Asked =
  | {
      readonly kind: 'chat'
      readonly room: string
      readonly command: ChatCommand
      readonly clientId?: string
      readonly payload: unknown
    }
  | {
      readonly kind: 'own-chat' | 'new-chat'
      readonly command: ChatCommand
      readonly clientId?: string
      readonly payload: unknown
    }
  | { readonly kind: 'replay'; readonly room: string; readonly speed: number }
  | { readonly kind: 'stop-replay'; readonly room: string }

/** Decodes the arguments of one emitted event (without the ack). `at` in milliseconds. */
export type Row = (args: readonly unknown[], caller: Caller, at: number) => Asked | Refusal

const ID = /^[A-Za-z0-9_-]{1,64}$/
/** Null means none: clients in some languages send every field that they know. */
const clientId = z.string().min(1).max(128).nullish()
const room = z.string().regex(ID, 'must be the id of a chat (letters, digits, "_" and "-", at most 64)')
const inRoom = z.object({ room, client_id: clientId })
const writing = inRoom.extend({ content: z.unknown().optional() })
const flagging = inRoom.extend({ severity_level: z.int().min(0).max(100).default(0) })
const replaying = z.object({ room, speed: z.number().min(0.01).max(1000).default(1) })

/**
 * One row per name that a client may emit: nothing else gets in. Unknown names are ignored and counted by the gateway.
 */
export const inbound: Readonly<Record<string, Row>> = Object.assign(Object.create(null), {
  visitor_first_msg: visitorWrites('new-chat'),
  visitor_msg_unclaimed: visitorWrites('own-chat'),
  visitor_msg: visitorWrites('own-chat'),

  visitor_leave_room: (args, { party }, at) => {
    const data = args[0] ?? {}
    const read = z.object({ client_id: clientId }).safeParse(data)
    if (!read.success) return badRequest(read.error)
    return {
      kind: 'own-chat',
      command: { type: 'LeaveChat', by: party, at },
      ...named(read.data.client_id),
      payload: null,
    }
  },

  staff_join: toRoom(inRoom, (_, by, at) => ({ type: 'ClaimChat', by, at })),
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
    return typeof read === 'string' ? refuse('bad-request', { why: read }) : { type: 'Write', ...read, by, at }
  }),

  replay_chat: ([data]) => {
    const read = replaying.safeParse(data)
    return read.success ? { kind: 'replay', ...read.data } : badRequest(read.error)
  },
  stop_replay: ([data]) => {
    const read = inRoom.safeParse(data)
    return read.success ? { kind: 'stop-replay', room: read.data.room } : badRequest(read.error)
  },
} satisfies Record<string, Row>)

/**
 * What staff ask of a chat that they name. A visitor means the own chat and never names it, whatever the machine would
 * allow.
 */
function toRoom<Shape extends z.ZodType<{ room: string; client_id?: string | null | undefined }>>(
  shape: Shape,
  command: (data: z.output<Shape>, by: Party, at: number) => ChatCommand | Refusal,
): Row {
  return ([data], { party }, at) => {
    if (!isStaff(party.role)) return refuse('staff-only')
    const read = shape.safeParse(data)
    if (!read.success) return badRequest(read.error)
    const asked = command(read.data, party, at)
    if ('code' in asked) return asked
    const { client_id, ...payload } = read.data
    return { kind: 'chat', room: read.data.room, command: asked, ...named(client_id), payload }
  }
}

function visitorWrites(kind: 'own-chat' | 'new-chat'): Row {
  return (args, { party, visitor }, at) => {
    const { content: raw, clientId: inside } = unwrap(args[0])
    const sized = asContent(raw)
    if (typeof sized === 'string') return refuse('bad-request', { why: sized })
    const read = clientId.safeParse(inside ?? args[1])
    if (!read.success) return badRequest(read.error, 'client_id')
    const command: ChatCommand =
      kind === 'new-chat'
        ? { type: 'OpenChat', visitor, ...sized, by: party, at }
        : { type: 'Write', ...sized, by: party, at }
    return { kind, command, ...named(read.data), payload: sized.content }
  }
}

const named = (id: string | null | undefined) => (typeof id === 'string' ? { clientId: id } : {})

function badRequest(error: z.ZodError, where = ''): Refusal {
  const why = error.issues.map(
    ({ path, message }) => `${[where, ...path].filter((part) => part !== '').join('.') || 'data'}: ${message}`,
  )
  return refuse('bad-request', { why: why.join('; ') })
}

/** What a refusal is called in an ack. `nameOf` tells how the staff member who is in the way is called. */
export function sentence({ code, details }: Refusal, nameOf: (staffId: string) => string): string {
  const { staffId = '', why = '' } = details
  switch (code) {
    case 'chat-already-claimed':
      return `chat already claimed by ${nameOf(staffId)}`
    case 'chat-already-open':
      return 'chat-already-open: you already have an open chat; write to it with visitor_msg, or end it with visitor_leave_room'
    case 'queue-full':
      return 'queue-full: too much waits in this chat already; write again when somebody has taken it'
    case 'no-open-chat':
      return 'no-open-chat: you have no open chat; start one with visitor_first_msg'
    case 'no-such-chat':
      return 'no-such-chat: there is no chat with this id'
    case 'chat-closed':
      return 'chat-closed: this chat has ended'
    case 'chat-not-claimed':
      return 'chat-not-claimed: nobody serves this chat yet; claim it with staff_join'
    case 'not-serving-chat':
      return `not-serving-chat: only ${nameOf(staffId)}, who serves this chat, may do that`
    case 'rank-too-low':
      return `rank-too-low: only somebody of a higher rank than ${nameOf(staffId)} may take this chat over`
    case 'staff-only':
      return 'staff-only: this is for agents, supervisors and admins'
    case 'supervisors-only':
      return 'supervisors-only: this is for supervisors and admins'
    case 'visitors-only':
      return 'visitors-only: this is for visitors'
    case 'bad-request':
      return `bad-request: ${why}`
    case 'token-needed':
      return 'token-needed: without a token you may only join a lesson by its code'
    case 'hub-looks-on':
      return 'hub-looks-on: a connection with product_type=manager only listens; connect without it to take part'
    case 'no-replay':
      return 'no-replay: no replay of this chat is running on this connection'
    case 'client-id-reused':
      return 'client-id-reused: this client_id was used for something else; take a new one for each call'
    case 'busy':
      return 'busy: too many are changing this chat at once; try again'
    case 'overloaded':
      return 'overloaded: too much waits for this chat; try again in a moment'
    case 'unavailable':
      return 'unavailable: the log did not answer in time, so this may or may not have happened; repeat it with the same client_id'
    case 'too-large':
      return 'too-large: this is more than the log takes at once'
    case 'rate-limited':
      return `rate-limited: too many requests; try again in ${details.seconds ?? '1'} s`
    case 'draining':
      return 'draining: this server is stopping; reconnect and repeat'
    case 'internal':
      return 'internal: something broke on our side; it has been logged'
    default:
      return code
  }
}
