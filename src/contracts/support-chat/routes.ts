import { createRoute, z } from '@hono/zod-openapi'
import { withFailures } from '../../gateway/http/errors.ts'
import { asOf, idText, json, limit, next, security, time } from '../../gateway/http/schemas.ts'

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const
const room = z.object({ room: idText })
const anything = z.record(z.string(), z.unknown())

/** `from` and `to` are milliseconds since 1970 or ISO-8601; `after` is the `next` of the page before. */
export const listChats = createRoute({
  method: 'get',
  path: '/api/v1/chats',
  security,
  summary: 'Chats of your organisation, newest first (supervisors and admins; agents with staff=me)',
  request: {
    query: z.object({
      state: z.enum(STATES).optional(),
      staff: z.union([z.literal('me'), idText]).optional(),
      visitor: idText.optional(),
      from: time.optional().openapi({ description: 'opened at or after' }),
      to: time.optional().openapi({ description: 'opened before' }),
      limit: limit(200, 50),
      after: next,
    }),
  },
  responses: withFailures({
    200: { description: 'Chats', content: json(z.object({ data: z.array(anything), next: z.string().optional() })) },
  }),
})

export const readChat = createRoute({
  method: 'get',
  path: '/api/v1/chats/{room}',
  security,
  summary: 'State and transcript of a chat, now or exactly as of the event `at` (supervisors and admins)',
  request: { params: room, query: asOf },
  responses: withFailures({ 200: { description: 'The chat', content: json(z.object({ data: anything })) } }),
})

export const listEvents = createRoute({
  method: 'get',
  path: '/api/v1/chats/{room}/events',
  security,
  summary:
    'Recorded events of a chat, oldest first, as JSON, or as NDJSON when asked for application/x-ndjson (supervisors and admins)',
  request: {
    params: room,
    query: z.object({
      after: z
        .string()
        .regex(/^(-1|\d{1,15})$/, 'must be a whole number from -1')
        .transform(Number)
        .default(-1)
        .openapi({ description: 'seq of the last event of the page before' }),
      limit: limit(1_000, 200),
      format: z.enum(['json', 'ndjson']).optional(),
    }),
  },
  responses: withFailures({
    200: { description: 'Events', content: json(z.object({ data: z.array(anything), next: z.number().optional() })) },
  }),
})
