import { z } from '@hono/zod-openapi'
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS } from '../../gateway/auth/passwords.ts'
import { ROLES } from '../../gateway/auth/tokens.ts'
import { VISITOR_SECRET } from '../../gateway/auth/visitor-secrets.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idText } from '../../gateway/http/schemas.ts'
import { type PersonFacts, staffUser, visitorUser } from '../shared/people.ts'

const name = z.string().trim().min(1).max(320)
const password = z.string().min(MIN_PASSWORD_CHARACTERS).max(MAX_PASSWORD_CHARACTERS)

export const Credentials = fields({
  email: z.string().min(1).max(320),
  password: z.string().min(1).max(MAX_PASSWORD_CHARACTERS),
  org_id: idText.optional(),
}).openapi('Credentials')

export const Visitor = fields({
  org_id: idText,
  name: z.string().max(320).nullish(),
  email: z.string().max(320).nullish(),
  visitor_secret: z
    .string()
    .regex(VISITOR_SECRET, 'must be the visitor_secret that this route has answered before')
    .optional()
    .openapi({ description: 'makes you the same visitor as before; so does their token that is still valid' }),
}).openapi('Visitor')

export const Token = z
  .object({
    data: z.object({ access_token: z.string(), expires_in: z.number().int().openapi({ description: 'seconds' }) }),
  })
  .openapi('Token')

export const VisitorToken = z
  .object({
    data: Token.shape.data.extend({
      visitor_secret: z
        .string()
        .optional()
        .openapi({ description: 'keep it: it makes you the same visitor again; absent when you came with a token' }),
    }),
  })
  .openapi('VisitorToken')

export const User = z
  .object({
    id: z.string(),
    role: z.enum(ROLES),
    organisation_id: z.string(),
    email: z.string().nullable(),
    created_at: z.number().int().openapi({ description: 'seconds since 1970' }),
    updated_at: z.number().int().nullable(),
    disabled: z.boolean(),
    full_name: z.string().nullable().optional(),
    display_name: z.string().nullable().optional(),
    role_id: z.number().int().nullable().optional().openapi({ description: 'admin 1, supervisor 2, agent 3' }),
    number: z.int().optional().openapi({ description: 'what projects call this user; visitors have none' }),
    name: z.string().nullable().optional().openapi({ description: 'visitors only' }),
    is_anonymous: z.boolean().optional().openapi({ description: 'visitors only' }),
  })
  .openapi('User')

export const NewUser = fields({
  email: z.email().max(320),
  password,
  full_name: name.nullish(),
  display_name: name.nullish(),
  role: z.enum(['agent', 'supervisor', 'admin', 'teacher', 'student']),
  org_id: z.string().optional().openapi({ description: 'may be left out; if sent, your own' }),
}).openapi('NewUser')

export const UserChanges = fields({
  full_name: name.optional(),
  display_name: name.nullable().optional(),
  password: password.optional(),
  current_password: z
    .string()
    .max(MAX_PASSWORD_CHARACTERS)
    .optional()
    .openapi({ description: 'needed to change your own password' }),
  disabled: z.boolean().optional(),
}).openapi('UserChanges')

/** `number`: of whoever is no visitor. */
export const userResource = (org: string, id: string, person: PersonFacts, number: number) =>
  person.role === 'visitor'
    ? { ...visitorUser(id, person), organisation_id: org, role: person.role }
    : { ...staffUser(org, id, person), role: person.role, number }
