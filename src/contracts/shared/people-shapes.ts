import { z } from 'zod'
import type { StaffUser, VisitorUser } from './people.ts'

const text = z.string().nullable()
const seconds = z.int()

/** A staff member on the wire. */
export const staffUserShape: z.ZodType<StaffUser> = z.strictObject({
  email: text,
  created_at: seconds,
  full_name: text,
  updated_at: seconds.nullable(),
  id: z.string(),
  display_name: text,
  organisation_id: z.string(),
  disabled: z.boolean(),
  role_id: z.union([z.literal(1), z.literal(2), z.literal(3)]).nullable(),
})

/** A visitor on the wire. */
export const visitorUserShape: z.ZodType<VisitorUser> = z.strictObject({
  email: text,
  is_anonymous: z.boolean(),
  created_at: seconds,
  updated_at: seconds.nullable(),
  name: text,
  id: z.string(),
  disabled: z.boolean(),
})
