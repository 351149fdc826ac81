import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { isStaff, isSupervising, Refusal, refuse } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { Newest } from '../../../projections/chat-transcript.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, idText, limit, next, timeIn, wholeNumber } from '../../gateway/http/schemas.ts'
import type { Zone } from '../../gateway/http/zone.ts'
import { foldHistory } from '../../log/fold-history.ts'
import { damageNote } from '../shared/damage-note.ts'
import { weighEvent } from './chats-model.ts'
import { chatEventRoutes } from './http-events.ts'
import type { ChatFilter, ChatList } from './list.ts'
import { type PartInChatParts, partInChat } from './part-in-chat.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { chatResource, Described } from './resources.ts'
import { transcriptOf } from './transcript.ts'

export interface ChatRoutesParts extends PartInChatParts {
  readonly chats: ChatList
  readonly zone: Zone
}

/** As much of a transcript as is answered at once. */
const TRANSCRIPT: Newest = { messages: 1_000, characters: 1024 * 1024 }

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const

/** `/api/v1/chats`: what is going on, and the past exactly as it was. */
export function chatRoutes(app: OpenAPIHono<HttpEnv>, { chats: listOfChats, zone, ...parts }: ChatRoutesParts): void {
  const { read, list } = resources(app, supportChatHttpRefusals)
  const time = timeIn(zone)
  const history = foldHistory({ log: parts.log, fold: chats.fold, weighEvent })

  /** The chat after this event, or after its last one if that comes before. */
  const rowAt = async (room: string, seq: number): Promise<ChatRow | undefined> => {
    const stream = streamName('chat', room)
    for await (const [last] of parts.log.read(stream, { backwards: true, limit: 1 }))
      return (await history.at(stream, Math.min(seq, last?.revision ?? -1)))?.state
    return undefined
  }

  /** An event behind all messages before this one, not far behind: what else was recorded is little. */
  const fromBefore = async (room: string, row: ChatRow, before: number): Promise<ChatRow> => {
    const others = row.seq + 1 - row.messages
    const seq = Math.max(0, before - 2 + others)
    return (seq < row.seq && (await rowAt(room, seq))) || row
  }

  list(
    {
      method: 'get',
      path: '/api/v1/chats',
      summary:
        'Chats of your organisation, newest first (supervisors and admins; agents with staff=me or ' +
        'state=unclaimed, visitors their own)',
      description: 'Chats',
      query: {
        state: z.enum(STATES).optional(),
        staff: z.union([z.literal('me'), idText]).optional(),
        visitor: z.union([z.literal('me'), idText]).optional(),
        from: time.optional().openapi({ description: 'opened at or after' }),
        to: time.optional().openapi({ description: 'opened before' }),
        order: z.literal('oldest').optional().openapi({ description: 'those first that were opened first' }),
        limit: limit(200, 50),
        after: next,
      },
      items: Described,
    },
    async ({ by: { org, id: me, role }, query: { state, staff, visitor, from, to, order, limit, after } }) => {
      const served = staff === 'me' ? me : staff
      const asked = visitor === 'me' ? me : visitor
      const page = async (filter: Pick<ChatFilter, 'staff' | 'visitor'>, isInternal: boolean) =>
        listed(await listOfChats.list({ org, state, from, to, order, ...filter }, limit, after), (room, row) =>
          chatResource(room, row, isInternal),
        )
      if (role === 'visitor') {
        if (served !== undefined || (asked ?? me) !== me) return refuse('own-chats-only')
        return page({ staff: undefined, visitor: me }, false)
      }
      if (!isStaff(role)) return refuse('staff-only')
      // Agents find the chats that they serve or served, and the queue; the rest is for those who supervise.
      const isTheirs = served === me || (state === 'unclaimed' && served === undefined && asked === undefined)
      if (!isSupervising(role) && !isTheirs) return refuse('supervisors-only')
      return page({ staff: served, visitor: asked }, true)
    },
  )

  read(
    {
      method: 'get',
      path: '/api/v1/chats/{room}',
      heavy: true,
      summary:
        'State and transcript of a chat, now or exactly as of the event `at` (supervisors and admins; its visitor; ' +
        'whoever serves or served it, as far as they did)',
      description: 'The chat',
      params: { room: idText },
      query: {
        ...asOf,
        before: wholeNumber.optional().openapi({ description: 'only messages before the one of this sequence_num' }),
      },
      data: Described,
    },
    async ({ by, params: { room }, query: { at, before } }) => {
      const part = await partInChat(parts, room, by)
      if (part instanceof Refusal) return part
      const { isInternal, damage } = part
      if (damage?.revision === 0) throw damage
      if (at !== undefined && at > part.upTo) return refuse('not-your-part')
      const upTo = Math.min(part.upTo, damage ? damage.revision - 1 : Number.POSITIVE_INFINITY)
      const then = await rowAt(room, at ?? upTo)
      if (!then || (at !== undefined && then.seq !== at)) return refuse('no-such-event')
      const { messages } = await transcriptOf(parts.log, room, then, {
        newest: TRANSCRIPT,
        ...(before === undefined ? {} : { before, from: await fromBefore(room, then, before) }),
      })
      const first = messages[0]?.sequence_num ?? 1
      const more = first > 1 && { before: first }
      const note = damage && { note: damageNote(damage) }
      return { ...chatResource(room, then, isInternal), transcript: messages, ...more, ...note }
    },
  )

  chatEventRoutes(app, parts)
}
