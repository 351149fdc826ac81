import { z } from '@hono/zod-openapi'
import { ID } from '../auth/tokens.ts'
import type { Zone } from './zone.ts'

/** What the descriptions of several routes are made of. */
export const idText = z.string().regex(ID, 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -')
export const id = { id: idText }
/** What people call a lesson, a course, a video. */
export const title = z.string().trim().min(1).max(200)

/** In a path or a query. Not coerced: an empty `at=` would be the first event. */
export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number from 0, of at most 15 digits')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0 })
export const asOf = { at: wholeNumber.optional().openapi({ description: 'as of the event with this seq' }) }

/** How long a page may be. */
export const limit = (most: number, fallback: number) =>
  z
    .string()
    .transform((text) => (/^\d{1,15}$/.test(text) ? Number(text) : 0))
    .refine((count) => count >= 1 && count <= most, `must be a whole number from 1 to ${most}`)
    .openapi({ type: 'integer', minimum: 1, maximum: most })
    .default(fallback)

/** Where a page of a list begins that goes by time. */
export const next = z
  .string()
  .max(300)
  .regex(/^\d{14}\/[A-Za-z0-9_-]+$/, 'must be the next of the page before')
  .optional()

/** Where a page of a list begins that goes by id. */
export const afterId = idText.optional().openapi({ description: 'the `next` of the page before' })

const instant = z.iso
  .datetime({ offset: true, error: 'must be ISO-8601 with a zone, like 2026-11-21T09:00:00Z' })
  .transform((text) => Date.parse(text))
const TIME =
  'must be ISO-8601 with a zone, like 2026-11-21T09:00:00Z, a date like 2026-11-21, or milliseconds since 1970'

/** In a query: an instant, a date (its beginning in this zone), or milliseconds. Gives milliseconds since 1970. */
export const timeIn = (zone: Zone) =>
  z.union(
    [
      z
        .string()
        .regex(/^\d{1,14}$/)
        .transform(Number),
      z.iso.date().transform(zone.startOf),
      instant,
    ],
    { error: TIME },
  )

/** Lists stand in the order of their times, written with 14 digits. */
const LATEST_MS = Date.parse('3000-01-01T00:00:00Z')

/** In a body: an instant. Gives milliseconds since 1970. */
export const plannedTime = instant.refine((ms) => ms >= 0 && ms < LATEST_MS, 'must lie between the years 1970 and 3000')
