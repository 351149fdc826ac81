import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { json } from '../../gateway/http/route.ts'
import { idText, limit } from '../../gateway/http/schemas.ts'
import { damageNote } from '../shared/damage-note.ts'
import { eventLines, eventPage } from './event-pages.ts'
import { type PartInChatParts, partInChat } from './part-in-chat.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { Described } from './resources.ts'

const NDJSON = 'application/x-ndjson'
const note = z.string().optional().openapi({ description: 'where the chat was damaged in the store: what is missing' })

/** `GET /api/v1/chats/:room/events`. */
export function chatEventRoutes(app: OpenAPIHono<HttpEnv>, parts: PartInChatParts): void {
  const { raw } = resources(app, supportChatHttpRefusals)

  raw(
    {
      method: 'get',
      path: '/api/v1/chats/{room}/events',
      heavy: true,
      summary:
        'Recorded events of a chat, oldest first, as JSON, or as NDJSON when asked for ' +
        'application/x-ndjson (for whom the chat itself is)',
      description: 'Events',
      params: { room: idText },
      query: {
        after: z
          .string()
          .regex(/^(-1|\d{1,15})$/, 'must be a whole number from -1')
          .transform(Number)
          .default(-1)
          .openapi({ description: 'seq of the last event of the page before' }),
        limit: limit(1_000, 200),
        format: z.enum(['json', 'ndjson']).optional(),
      },
      content: json(z.object({ data: z.array(Described), next: z.number().optional(), note })),
    },
    async ({ by, params: { room }, query: { after, limit, format }, accept }) => {
      const part = await partInChat(parts, room, by)
      if (part instanceof Refusal) return part
      const range = { room, part, after, limit }
      if (format === 'ndjson' || (format === undefined && accept.includes(NDJSON)))
        return { body: await eventLines(parts.log, range), headers: { 'Content-Type': NDJSON } }
      const { events, next, damage } = await eventPage(parts.log, range)
      const besides = JSON.stringify({ next, note: damage && damageNote(damage) })
      const body = `{"data":[${events.join()}]${besides === '{}' ? '' : `,${besides.slice(1, -1)}`}}`
      return { body, headers: { 'Content-Type': 'application/json' } }
    },
  )
}
