import { z } from 'zod'

/** `id`, `seq` and `pos` of the event behind a push. */
export const eventRefShape = { id: z.string(), seq: z.int().min(0), pos: z.string().regex(/^\d+$/) }

/** ISO-8601 UTC with milliseconds. */
export const isoShape = z.iso.datetime()
