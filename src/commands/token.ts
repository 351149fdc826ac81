import type { Role } from '../../machines/kernel.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { authenticator } from '../gateway/auth/authenticator.ts'
import { openKeys } from '../gateway/auth/keys.ts'
import { ROLES } from '../gateway/auth/tokens.ts'

export interface TokenOptions {
  readonly role: string
  readonly org: string
  readonly sub: string
  readonly name?: string
  readonly email?: string
  readonly ttl: number
}

/** Prints a token that this installation's servers take, and nothing else: made for `TOKEN=$(lyceum token …)`. */
export async function makeToken(config: Config, { role, org, sub, name, email, ttl }: TokenOptions): Promise<void> {
  const { sign } = authenticator({
    keys: await openKeys(config.keys),
    issuer: config.jwtIssuer,
    audience: config.jwtAudience,
    now: systemClock.now,
  })
  if (!sign) throw new Error('JWKS_URL is set: tokens come from the identity provider, not from here')
  if (!isRole(role)) throw new Error(`--role must be one of ${ROLES.join(', ')}, got ${JSON.stringify(role)}`)
  const profile = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
  process.stdout.write(`${await sign({ id: sub, org, role, profile }, ttl)}\n`)
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text)
