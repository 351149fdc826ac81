import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { isStaff, isSupervising, refuse } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { asOf, idText, limit, next, time } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { chatEventRoutes } from './http-events.ts'
import type { ChatList } from './list.ts'
import { chatAt } from './past.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { chatResource, Described } from './resources.ts'

export interface ChatRoutesParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state'>
  readonly chats: ChatList
}

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const

/** `/api/v1/chats`: what is going on, and the past exactly as it was. */
export function chatRoutes(app: OpenAPIHono<HttpEnv>, { log, entities, chats }: ChatRoutesParts): void {
  const { read, list } = resources(app, supportChatHttpRefusals)

  /** A chat of another organisation is answered exactly like one that does not exist. */
  const isTheirs = async (room: string, org: string): Promise<boolean> => {
    const { revision, state } = await entities.state('chat', room)
    return revision >= 0 && state.context.org === org
  }

  list(
    {
      method: 'get',
      path: '/api/v1/chats',
      summary: 'Chats of your organisation, newest first (supervisors and admins; agents with staff=me)',
      description: 'Chats',
      query: {
        state: z.enum(STATES).optional(),
        staff: z.union([z.literal('me'), idText]).optional(),
        visitor: idText.optional(),
        from: time.optional().openapi({ description: 'opened at or after' }),
        to: time.optional().openapi({ description: 'opened before' }),
        limit: limit(200, 50),
        after: next,
      },
      items: Described,
    },
    async ({ by: { org, id: me, role }, query: { state, staff, visitor, from, to, limit, after } }) => {
      if (!isStaff(role)) return refuse('staff-only')
      const served = staff === 'me' ? me : staff
      // Agents find the chats that they serve or served; the rest is for those who supervise.
      if (!isSupervising(role) && served !== me) return refuse('supervisors-only')
      return listed(await chats.list({ org, state, staff: served, visitor, from, to }, limit, after), chatResource)
    },
  )

  read(
    {
      method: 'get',
      path: '/api/v1/chats/{room}',
      summary: 'State and transcript of a chat, now or exactly as of the event `at` (supervisors and admins)',
      description: 'The chat',
      params: { room: idText },
      query: asOf,
      data: Described,
    },
    async ({ by, params: { room }, query: { at } }) => {
      if (!isSupervising(by.role)) return refuse('supervisors-only')
      if (!(await isTheirs(room, by.org))) return refuse('no-such-chat')
      const then = await chatAt(log, room, at)
      if (!then) return refuse('no-such-event')
      return { ...chatResource(room, then.row), seq: then.seq, transcript: then.messages }
    },
  )

  chatEventRoutes(app, log, isTheirs)
}
