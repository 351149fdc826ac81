import { z } from 'zod'

/** What machinery itself tells connections. */
export const ownEvents = {
  error: z
    .strictObject({
      message: z.string(),
      code: z.string().exactOptional(),
      event: z
        .string()
        .exactOptional()
        .describe('What was refused; `connect`: something that the handshake asked for.'),
    })
    .describe('Something that no ack could tell. When the connection ends, this says why.'),
  cursor: z
    .strictObject({
      pos: z
        .string()
        .regex(/^\d+$/)
        .meta({ examples: ['4398046511615'] }),
    })
    .describe('To a new connection with `resume=1`, after its opening state: from here on it can come back.'),
  cursor_unknown: z
    .strictObject({
      after: z.string().nullable(),
      code: z.enum(['cursor-unknown', 'views-unavailable']),
      message: z.string(),
    })
    .describe(
      'What was missed cannot be told, because the cursor is not known: forget all, the opening state follows.',
    ),
}
