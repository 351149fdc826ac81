import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { isStaff, isSupervising, Refusal, refuse } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, idText, limit, next, time } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { damageNote } from '../shared/damage-note.ts'
import { chatEventRoutes } from './http-events.ts'
import type { ChatFilter, ChatList } from './list.ts'
import { partInChat } from './part-in-chat.ts'
import { chatAt } from './past.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { chatResource, Described } from './resources.ts'

export interface ChatRoutesParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
  readonly chats: ChatList
}

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const

/** `/api/v1/chats`: what is going on, and the past exactly as it was. */
export function chatRoutes(app: OpenAPIHono<HttpEnv>, { log, entities, chats }: ChatRoutesParts): void {
  const { read, list } = resources(app, supportChatHttpRefusals)

  list(
    {
      method: 'get',
      path: '/api/v1/chats',
      summary:
        'Chats of your organisation, newest first (supervisors and admins; agents with staff=me, visitors their own)',
      description: 'Chats',
      query: {
        state: z.enum(STATES).optional(),
        staff: z.union([z.literal('me'), idText]).optional(),
        visitor: z.union([z.literal('me'), idText]).optional(),
        from: time.optional().openapi({ description: 'opened at or after' }),
        to: time.optional().openapi({ description: 'opened before' }),
        limit: limit(200, 50),
        after: next,
      },
      items: Described,
    },
    async ({ by: { org, id: me, role }, query: { state, staff, visitor, from, to, limit, after } }) => {
      const served = staff === 'me' ? me : staff
      const asked = visitor === 'me' ? me : visitor
      const page = async (filter: Pick<ChatFilter, 'staff' | 'visitor'>, isInternal: boolean) =>
        listed(await chats.list({ org, state, from, to, ...filter }, limit, after), (room, row) =>
          chatResource(room, row, isInternal),
        )
      if (role === 'visitor') {
        if (served !== undefined || (asked ?? me) !== me) return refuse('own-chats-only')
        return page({ staff: undefined, visitor: me }, false)
      }
      if (!isStaff(role)) return refuse('staff-only')
      // Agents find the chats that they serve or served; the rest is for those who supervise.
      if (!isSupervising(role) && served !== me) return refuse('supervisors-only')
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
      query: asOf,
      data: Described,
    },
    async ({ by, params: { room }, query: { at } }) => {
      const part = await partInChat({ log, entities }, room, by)
      if (part instanceof Refusal) return part
      const { isInternal, damage } = part
      if (damage?.revision === 0) throw damage
      if (at !== undefined && at > part.upTo) return refuse('not-your-part')
      const upTo = Math.min(part.upTo, damage ? damage.revision - 1 : Number.POSITIVE_INFINITY)
      const then = await chatAt(log, room, { seq: at ?? (upTo === Number.POSITIVE_INFINITY ? undefined : upTo) })
      if (!then) return refuse('no-such-event')
      const note = damage && { note: damageNote(damage) }
      return { ...chatResource(room, then.row, isInternal), seq: then.seq, transcript: then.messages, ...note }
    },
  )

  chatEventRoutes(app, { log, entities })
}
