import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { json } from '../../gateway/http/route.ts'
import { idText, limit } from '../../gateway/http/schemas.ts'
import type { Log, Recorded } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { partInChat } from './part-in-chat.ts'
import { supportChatHttpRefusals } from './refusals.ts'
import { Described, eventResource } from './resources.ts'

const NDJSON = 'application/x-ndjson'

export interface ChatEventRoutesParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
}

/** `GET /api/v1/chats/:room/events`. */
export function chatEventRoutes(app: OpenAPIHono<HttpEnv>, { log, entities }: ChatEventRoutesParts): void {
  const { raw } = resources(app, supportChatHttpRefusals)

  raw(
    {
      method: 'get',
      path: '/api/v1/chats/{room}/events',
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
      content: json(z.object({ data: z.array(Described), next: z.number().optional() })),
    },
    async ({ by, params: { room }, query: { after, limit, format }, accept }) => {
      const part = await partInChat({ log, entities }, room, by)
      if (part instanceof Refusal) return part
      const events: Recorded[] = []
      const page = { from: after + 1, limit: limit + 1 }
      for await (const batch of log.read(streamName('chat', room), page)) events.push(...batch)
      const theirs = events.filter(({ revision }) => revision <= part.upTo)
      const shown = theirs.slice(0, limit).filter(({ event }) => part.isInternal || event.type !== 'ChatFlagged')
      const data = shown.map((recorded) => eventResource(room, recorded))
      if (format === 'ndjson' || (format === undefined && accept.includes(NDJSON))) {
        const lines = data.map((event) => `${JSON.stringify(event)}\n`)
        return { body: lines.join(''), headers: { 'Content-Type': NDJSON } }
      }
      const next = theirs.length > limit ? after + limit : undefined
      return { body: JSON.stringify({ data, next }), headers: { 'Content-Type': 'application/json' } }
    },
  )
}
