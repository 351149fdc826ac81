import { createRoute, z } from '@hono/zod-openapi'
import { ID, ROLES } from '../../gateway/auth/tokens.ts'
import { withFailures } from '../../gateway/http/errors.ts'
import { limit, security } from '../../gateway/http/schemas.ts'

const Present = z
  .object({
    id: z.string(),
    role: z.enum(ROLES),
    display_name: z.string(),
    state: z.enum(['online', 'lost']).openapi({ description: 'lost: the connection broke and may still come back' }),
    since: z.number().int().openapi({ description: 'milliseconds since 1970' }),
    sockets: z.number().int().nullable().openapi({ description: 'on all nodes; null: cannot be counted now' }),
  })
  .openapi('Present')

export const listPresence = createRoute({
  method: 'get',
  path: '/api/v1/presence',
  security,
  summary: 'Who of your organisation is online, by id; visitors are not listed (teachers and admins)',
  request: {
    query: z.object({
      role: z.enum(ROLES).optional(),
      limit: limit(1_000, 200),
      after: z.string().regex(ID).optional().openapi({ description: 'the `next` of the page before' }),
    }),
  },
  responses: withFailures({
    200: {
      description: 'People who are here',
      content: {
        'application/json': {
          schema: z.object({
            data: z.array(Present),
            next: z.string().optional(),
            hubs: z
              .number()
              .int()
              .nullable()
              .openapi({ description: 'TeacherHub connections of your organisation, on all nodes' }),
          }),
        },
      },
    },
  }),
})
