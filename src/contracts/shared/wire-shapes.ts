import { z } from 'zod'

/** `pos`: a cursor. */
export const posShape = z
  .string()
  .regex(/^\d+$/)
  .meta({ examples: ['4398046511615'] })

/** `id`, `seq` and `pos` of the event behind a push. */
export const eventRefShape = {
  id: z.string().meta({ examples: ['7b1f0c52-6f0e-5d0f-9a57-0d6a1f1e2c33'] }),
  seq: z.int().min(0),
  pos: posShape,
}

/** ISO-8601 UTC with milliseconds. */
export const isoShape = z.iso.datetime().meta({ examples: ['2026-01-05T09:30:00.000Z'] })
