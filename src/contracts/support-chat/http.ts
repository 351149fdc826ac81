import type { OpenAPIHono } from '@hono/zod-openapi'
import { isStaff, isSupervising, refuse } from '../../../machines/kernel.ts'
import { CHAT_STREAM, type ChatRow } from '../../../projections/chats.ts'
import { refused } from '../../gateway/http/errors.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import type { Page } from '../../gateway/http/pages.ts'
import type { Log, Recorded } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { chatAt } from './past.ts'
import { listChats, listEvents, readChat } from './routes.ts'
import { chatVisitor, roomObject } from './wire.ts'

/**
 * Which chats to list: entries of one index of the view `chats`, newest first. Times in milliseconds; `to` exclusive.
 */
export interface ChatFilter {
  readonly org: string
  readonly state: ChatRow['status'] | 'open' | undefined
  readonly staff: string | undefined
  readonly visitor: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

export interface ChatList {
  list(filter: ChatFilter, limit: number, after: string | undefined): Promise<Page<ChatRow>>
}

export interface ChatRoutesParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state'>
  readonly chats: ChatList
}

/** `/api/v1/chats`: what is going on, and the past exactly as it was. */
export function chatRoutes(app: OpenAPIHono<HttpEnv>, { log, entities, chats }: ChatRoutesParts): void {
  /** A chat of another organisation is answered exactly like one that does not exist. */
  const isTheirs = async (room: string, org: string): Promise<boolean> => {
    const { revision, state } = await entities.state('chat', room)
    return revision >= 0 && state.context.org === org
  }

  app.openapi(listChats, async (c) => {
    const { org, id: me, role } = c.get('identity')
    if (!isStaff(role)) return refused(c, refuse('staff-only'))
    const { state, staff, visitor, from, to, limit, after } = c.req.valid('query')
    const served = staff === 'me' ? me : staff
    // Agents find the chats that they serve or served; the rest is for those who supervise.
    if (!isSupervising(role) && served !== me) return refused(c, refuse('supervisors-only'))
    const page = await chats.list({ org, state, staff: served, visitor, from, to }, limit, after)
    const data = page.rows.map(([room, row]) => plain(chatResource(room, row)))
    return c.json(page.next === undefined ? { data } : { data, next: page.next }, 200)
  })

  app.openapi(readChat, async (c) => {
    const { org, role } = c.get('identity')
    if (!isSupervising(role)) return refused(c, refuse('supervisors-only'))
    const { room } = c.req.valid('param')
    if (!(await isTheirs(room, org))) return refused(c, refuse('no-such-chat'), SENTENCES)
    const { at } = c.req.valid('query')
    const then = await chatAt(log, room, at)
    if (!then) return refused(c, refuse('no-such-event'), SENTENCES)
    return c.json({ data: plain({ ...chatResource(room, then.row), seq: then.seq, transcript: then.messages }) }, 200)
  })

  app.openapi(listEvents, async (c) => {
    const { org, role } = c.get('identity')
    if (!isSupervising(role)) return refused(c, refuse('supervisors-only'))
    const { room } = c.req.valid('param')
    if (!(await isTheirs(room, org))) return refused(c, refuse('no-such-chat'), SENTENCES)
    const { after, limit, format } = c.req.valid('query')
    const events: Recorded[] = []
    for await (const batch of log.read(CHAT_STREAM + room, { from: after + 1, limit: limit + 1 })) events.push(...batch)
    const more = events.length > limit
    const data = events.slice(0, limit).map((recorded) => plain(eventResource(room, recorded)))
    if (format === 'ndjson' || (format === undefined && c.req.header('Accept')?.includes('application/x-ndjson'))) {
      const lines = data.map((event) => `${JSON.stringify(event)}\n`).join('')
      // one of the two forms of the documented answer
      return c.body(lines, 200, { 'Content-Type': 'application/x-ndjson' }) as never
    }
    return c.json(more ? { data, next: after + limit } : { data }, 200)
  })
}

const SENTENCES = {
  'no-such-chat': 'there is no chat with this id',
  'no-such-event': 'this chat has no event with that number: at goes from 0 to the seq of its last event',
}

/** The framework's type of JSON knows no readonly arrays; everything in here is JSON. */
const plain = (resource: object): Record<string, string> => resource as Record<string, string>

/** Times in milliseconds, like all room objects. */
const chatResource = (room: string, row: ChatRow) => ({
  ...roomObject(room, row),
  state: row.status,
  staff_id: row.staffId,
  served_by: row.servedBy,
  visitor: chatVisitor(row),
  messages_count: row.messages,
  closed_at: row.closedAt,
  close_reason: row.closeReason,
  seq: row.seq,
})

/** An event as recorded. `by` is the person who asked, `system` for Lyceum itself. */
function eventResource(room: string, { id, revision, position, at, event, meta }: Recorded) {
  const { type, ...data } = event as Recorded['event'] & Record<string, unknown>
  return {
    id,
    room,
    seq: revision,
    pos: String(position),
    at,
    type,
    data,
    by: meta.by,
    command_id: meta.correlationId,
    caused_by: meta.causationId ?? null,
  }
}
