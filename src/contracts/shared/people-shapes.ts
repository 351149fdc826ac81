import { z } from 'zod'
import type { StaffUser, VisitorUser } from './people.ts'

const name = z
  .string()
  .nullable()
  .meta({ examples: ['Vera Vento'] })
const email = z
  .string()
  .nullable()
  .meta({ examples: ['vera@example.org'] })
const seconds = z.int().meta({ description: 'Seconds since 1970.', examples: [1_767_225_600] })
const id = z.string().meta({ examples: ['vera'] })

/** A staff member on the wire. */
export const staffUserShape: z.ZodType<StaffUser> = z
  .strictObject({
    email,
    created_at: seconds,
    full_name: name,
    updated_at: seconds.nullable(),
    id,
    display_name: name,
    organisation_id: z.string().meta({ examples: ['acme'] }),
    disabled: z.boolean(),
    role_id: z
      .union([z.literal(1), z.literal(2), z.literal(3)])
      .nullable()
      .describe('1 admin, 2 supervisor, 3 agent, null anybody else.'),
  })
  .meta({ id: 'StaffUser', description: 'A staff member.' })

/** A visitor on the wire. */
export const visitorUserShape: z.ZodType<VisitorUser> = z
  .strictObject({
    email,
    is_anonymous: z.boolean(),
    created_at: seconds,
    updated_at: seconds.nullable(),
    name,
    id,
    disabled: z.boolean(),
  })
  .meta({ id: 'VisitorUser', description: 'A visitor.' })
