import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { isStaff, isSupervising, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Newest } from '../../../projections/chat-transcript.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, idText, limit, next, time, wholeNumber } from '../../gateway/http/schemas.ts'
import { damageNote } from '../shared/damage-note.ts'
import { chatEventRoutes } from './http-events.ts'
import type { ChatFilter, ChatList } from './list.ts'
import { type PartInChatParts, partInChat } from './part-in-chat.ts'
import { chatAt } from './past.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { chatResource, Described } from './resources.ts'

export interface ChatRoutesParts extends PartInChatParts {
  readonly chats: ChatList
}

/** As much of a transcript as is answered at once. */
const TRANSCRIPT: Newest = { messages: 1_000, characters: 1024 * 1024 }

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const

/** `/api/v1/chats`: what is going on, and the past exactly as it was. */
export function chatRoutes(app: OpenAPIHono<HttpEnv>, { chats, ...parts }: ChatRoutesParts): void {
  const { read, list } = resources(app, supportChatHttpRefusals)

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
        listed(await chats.list({ org, state, from, to, order, ...filter }, limit, after), (room, row) =>
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
      const seq = at ?? (upTo === Number.POSITIVE_INFINITY ? undefined : upTo)
      const then = await chatAt(parts.log, room, { seq, before, newest: TRANSCRIPT })
      if (!then) return refuse('no-such-event')
      const { row, messages } = then
      const first = messages[0]?.sequence_num ?? 1
      const more = first > 1 && { before: first }
      const note = damage && { note: damageNote(damage) }
      return { ...chatResource(room, row, isInternal), seq: then.seq, transcript: messages, ...more, ...note }
    },
  )

  chatEventRoutes(app, parts)
}
