import { createRoute, z } from '@hono/zod-openapi'
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS } from '../../gateway/auth/passwords.ts'
import { ID, ROLES } from '../../gateway/auth/tokens.ts'
import { withFailures } from '../../gateway/http/errors.ts'
import { id, json, limit, security } from '../../gateway/http/schemas.ts'

const name = z.string().trim().min(1).max(320)
const password = z.string().min(MIN_PASSWORD_CHARACTERS).max(MAX_PASSWORD_CHARACTERS)

const User = z
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
    name: z.string().nullable().optional().openapi({ description: 'visitors only' }),
    is_anonymous: z.boolean().optional().openapi({ description: 'visitors only' }),
  })
  .openapi('User')

const NewUser = z
  .object({
    email: z.email().max(320),
    password,
    full_name: name.nullish(),
    display_name: name.nullish(),
    role: z.enum(['agent', 'supervisor', 'admin', 'teacher', 'student']),
    org_id: z.string().optional().openapi({ description: 'may be left out; if sent, your own' }),
  })
  .openapi('NewUser')

const UserChanges = z
  .strictObject({
    full_name: name.optional(),
    display_name: name.nullable().optional(),
    password: password.optional(),
    current_password: z
      .string()
      .max(MAX_PASSWORD_CHARACTERS)
      .optional()
      .openapi({ description: 'needed to change your own password' }),
    disabled: z.boolean().optional(),
  })
  .openapi('UserChanges')

const page = z.object({
  limit: limit(200, 50),
  after: z.string().regex(ID).optional().openapi({ description: 'the `next` of the page before' }),
})

const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: json(schema) })
const one = { description: 'The user', content: json(z.object({ data: User })) }
const list = {
  description: 'Users by id, but for visitors',
  content: json(z.object({ data: z.array(User), next: z.string().optional() })),
}
const USERS = '/api/v1/users'

export const listUsers = createRoute({
  method: 'get',
  path: USERS,
  security,
  summary: 'The users of your organisation (staff only)',
  request: { query: page },
  responses: withFailures({ 200: list }),
})
export const createUser = createRoute({
  method: 'post',
  path: USERS,
  security,
  summary: 'Open an account in your organisation (admins only)',
  request: { body: body(NewUser) },
  responses: withFailures({ 201: one }),
})
export const myUser = createRoute({
  method: 'get',
  path: `${USERS}/me`,
  security,
  summary: 'Who you are',
  responses: withFailures({ 200: one }),
})
export const readUser = createRoute({
  method: 'get',
  path: `${USERS}/{id}`,
  security,
  summary: 'One user (staff; everybody for themselves)',
  request: { params: id },
  responses: withFailures({ 200: one }),
})
export const changeUser = createRoute({
  method: 'patch',
  path: `${USERS}/{id}`,
  security,
  summary: 'Change what is named in the body (admins; everybody for themselves, but for disabled)',
  request: { params: id, body: body(UserChanges) },
  responses: withFailures({ 200: one }),
})
export const disableUser = createRoute({
  method: 'post',
  path: `${USERS}/{id}/disable`,
  security,
  summary: 'Close the door: the sockets of this person close at once, tokens are no longer taken (admins only)',
  request: { params: id },
  responses: withFailures({ 200: one }),
})
export const enableUser = createRoute({
  method: 'post',
  path: `${USERS}/{id}/enable`,
  security,
  summary: 'Open it again (admins only)',
  request: { params: id },
  responses: withFailures({ 200: one }),
})
