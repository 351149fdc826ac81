import { createRoute, z } from '@hono/zod-openapi'
import { withFailures } from './http-errors.ts'
import { ID } from './tokens.ts'

const STATES = ['unclaimed', 'claimed', 'takenOver', 'closed', 'open'] as const
const security = [{ bearer: [] }]
const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })
const id = z.string().regex(ID, 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -')
const room = z.object({ room: id })
/** Not coerced: an empty `at=` would be the first event. */
const seq = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number from 0')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0 })
const time = z.union([z.coerce.number().int().min(0), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))])
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
      staff: z.union([z.literal('me'), id]).optional(),
      visitor: id.optional(),
      from: time.optional().openapi({ description: 'opened at or after' }),
      to: time.optional().openapi({ description: 'opened before' }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      after: z
        .string()
        .max(300)
        .regex(/^[A-Za-z0-9_/-]+$/, 'must be the next of the page before')
        .optional(),
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
  request: { params: room, query: z.object({ at: seq.optional() }) },
  responses: withFailures({ 200: { description: 'The chat', content: json(z.object({ data: anything })) } }),
})

export const listEvents = createRoute({
  method: 'get',
  path: '/api/v1/chats/{room}/events',
  security,
  summary: 'Recorded events of a chat, oldest first, as JSON, or as NDJSON when asked for application/x-ndjson (supervisors and admins)',
  request: {
    params: room,
    query: z.object({
      after: z
        .string()
        .regex(/^(-1|\d{1,15})$/, 'must be a whole number from -1')
        .transform(Number)
        .default(-1)
        .openapi({ description: 'seq of the last event of the page before' }),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
      format: z.enum(['json', 'ndjson']).optional(),
    }),
  },
  responses: withFailures({
    200: { description: 'Events', content: json(z.object({ data: z.array(anything), next: z.number().optional() })) },
  }),
})
