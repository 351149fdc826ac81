import type { JWTPayload } from 'jose'
import { z } from 'zod'
import type { Role } from '../../../machines/kernel.ts'
import type { LogIn } from '../../../machines/person/log-in.ts'
import { PROFILE_FIELDS, type Profile } from '../../../machines/person/profile.ts'

/** What a token says about its bearer, besides issuer and audience. Times in seconds since 1970. */
export interface Claims extends Partial<LogIn> {
  readonly id: string
  readonly org: string
  readonly role: Role
  readonly profile: Profile
  /** When the role and the profile were true, where that was before the token was issued. */
  readonly profileAt?: number
}

/** Who a valid token's bearer is. */
export interface Identity extends Omit<Claims, 'loggedInAt' | 'profileAt'>, LogIn {
  readonly iat: number
  readonly exp: number
  readonly profileAt: number
}

export const ROLES = [
  'visitor',
  'agent',
  'supervisor',
  'admin',
  'teacher',
  'student',
] as const satisfies readonly Role[]

/** Shape of `sub` and `org_id`. It has no dot: `<org>.<id>` names a person and can be taken apart again. */
export const ID = /^[A-Za-z0-9_-]{1,64}$/

const MAX_PROFILE_CHARACTERS = 320
const id = z.string().regex(ID)
const seconds = z.number().min(0).max(1e11)
// Providers send empty and null claims for what they do not know: that is nothing, not an error.
const text = z.string().max(MAX_PROFILE_CHARACTERS).nullish()

const SHAPES = {
  sub: { schema: id, expects: '1 to 64 of the characters A-Z a-z 0-9 _ -' },
  org_id: { schema: id, expects: '1 to 64 of the characters A-Z a-z 0-9 _ -' },
  role: { schema: z.enum(ROLES), expects: `one of ${ROLES.join(', ')}` },
  iat: { schema: seconds, expects: 'a number of seconds since 1970' },
  exp: { schema: seconds, expects: 'a number of seconds since 1970' },
} as const
const TEXT = { schema: text, expects: `a text of at most ${MAX_PROFILE_CHARACTERS} characters` }

/** A sentence about the first claim that is not as it must be, or null. */
export function problemOf(payload: JWTPayload): string | null {
  for (const [name, { schema, expects }] of Object.entries(SHAPES)) {
    const problem = problemOfClaim(payload, name, schema, expects)
    if (problem !== null) return problem
  }
  for (const name of PROFILE_FIELDS) {
    const problem = problemOfClaim(payload, name, TEXT.schema, TEXT.expects)
    if (problem !== null) return problem
  }
  return null
}

/**
 * Only of a payload without problems. What others sign has no claims of ours: their `iat` counts as the time of the
 * log-in, but where they say it (`auth_time`, of OpenID Connect). Clocks that are ahead are put right by ours.
 */
export function claimsOf(payload: JWTPayload, now: number): Identity {
  const { sub, org_id, role, iat, exp } = payload as {
    sub: string
    org_id: string
    role: Role
    iat: number
    exp: number
  } // checked by problemOf
  const profile: { -readonly [Field in keyof Profile]: string } = {}
  for (const field of PROFILE_FIELDS) {
    const value = payload[field]
    if (typeof value === 'string' && value !== '') profile[field] = value
  }
  const { auth_time, profile_at, password_version } = payload
  return {
    id: sub,
    org: org_id,
    role,
    profile,
    iat,
    exp,
    loggedInAt: Math.min(numberIn(auth_time) ?? iat, now),
    profileAt: Math.min(numberIn(profile_at) ?? iat, now),
    ...(typeof password_version === 'number' ? { passwordVersion: password_version } : {}),
  }
}

const numberIn = (claim: unknown): number | null => seconds.safeParse(claim).data ?? null

export const payloadOf = ({ id, org, role, profile, loggedInAt, profileAt, passwordVersion }: Claims): JWTPayload => ({
  ...profile,
  sub: id,
  org_id: org,
  role,
  ...(loggedInAt === undefined ? {} : { auth_time: loggedInAt }),
  ...(profileAt === undefined ? {} : { profile_at: profileAt }),
  ...(passwordVersion === undefined ? {} : { password_version: passwordVersion }),
})

/** The token in an `Authorization` header, with or without `Bearer `; null when there is none. */
export function tokenFrom(header: string | null | undefined): string | null {
  const token = header?.trim().replace(/^bearer(\s+|$)/i, '')
  return token ? token : null
}

function problemOfClaim(payload: JWTPayload, name: string, schema: z.ZodType, expects: string): string | null {
  const value = payload[name]
  if (schema.safeParse(value).success) return null
  const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60)
  return `the token's claim "${name}" must be ${expects}, got ${got}`
}
