import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Party } from '../../../machines/kernel.ts'
import type { Keys } from './keys.ts'
import { ownPayload } from './own-tokens.ts'
import { type Claims, claimsOf, payloadOf, problemOf } from './tokens.ts'

/** Who a valid token's bearer is. `iat` and `exp` are seconds since 1970. */
export interface Identity extends Claims {
  readonly iat: number
  readonly exp: number
}

export type AuthCode =
  | 'token-missing'
  | 'token-malformed'
  | 'token-not-ours'
  | 'token-expired'
  | 'token-claims'
  | 'keys-unavailable'

/** Why a token was not taken; a value like a Refusal. `message` is meant for the client and holds nothing secret. */
export class AuthFailure {
  readonly code: AuthCode
  readonly message: string
  constructor(code: AuthCode, message: string) {
    this.code = code
    this.message = message
  }
}

export interface Authenticator {
  /** Never rejects for anything that a client can send. */
  verify(token: string | null): Promise<Identity | AuthFailure>
  /** Null when an identity provider issues the tokens: then we have no key to sign with. */
  readonly sign: Sign | null
}

/**
 * A token that is good for `ttlSeconds` from now. Throws when the claims are not of the shape that `verify` asks for.
 */
export type Sign = (claims: Claims, ttlSeconds: number) => Promise<string>

export interface AuthenticatorOptions {
  readonly keys: Keys
  readonly issuer: string
  readonly audience: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Checks and signs tokens. Costs one HMAC per token (or one signature check with a provider's key); holds no state but
 * the keys.
 */
export function authenticator({ keys, issuer, audience, now }: AuthenticatorOptions): Authenticator {
  const fixed = { issuer, audience, algorithms: [...keys.algorithms] }

  const payloadIn = async (token: string): Promise<JWTPayload> => {
    const options: JWTVerifyOptions = { ...fixed, currentDate: new Date(now()) }
    if (keys.kind === 'provider') return (await jwtVerify(token, keys.find, options)).payload
    return ownPayload(token, keys.hmacKey, options) ?? (await jwtVerify(token, keys.key, options)).payload
  }

  const sign: Sign = async (claims, ttlSeconds) => {
    if (keys.kind !== 'secret') throw new Error('tokens are signed by the identity provider of JWKS_URL, not here')
    const iat = Math.floor(now() / 1000)
    const payload = { ...payloadOf(claims), iat, exp: iat + ttlSeconds, iss: issuer, aud: audience }
    const problem = problemOf(payload)
    if (problem !== null) throw new Error(problem)
    return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(keys.key)
  }

  return {
    async verify(token) {
      if (token === null)
        return new AuthFailure('token-missing', 'a token is needed: send it as Authorization: Bearer <token>')
      try {
        const payload = await payloadIn(token)
        const problem = problemOf(payload)
        return problem === null ? claimsOf(payload) : new AuthFailure('token-claims', problem)
      } catch (error) {
        return failureOf(error, keys.kind)
      }
    },
    sign: keys.kind === 'secret' ? sign : null,
  }
}

/** The same person as the machines know one. */
export const partyOf = ({ id, org, role }: Claims): Party => ({ id, org, role })

function failureOf(error: unknown, checkedBy: Keys['kind']): AuthFailure {
  if (error instanceof errors.JWTExpired) return new AuthFailure('token-expired', 'token expired')
  if (error instanceof errors.JWTClaimValidationFailed) {
    const reason = error.reason === 'missing' ? 'is missing' : 'is not the one this server expects'
    return new AuthFailure('token-claims', `the token's claim "${error.claim}" ${reason}`)
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new AuthFailure('token-not-ours', 'the token is signed with an algorithm that this server does not take')
  }
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return new AuthFailure('token-not-ours', 'the token is not signed with a key of this server')
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return new AuthFailure(
      'token-not-ours',
      'the token does not name its key (header kid) and the identity provider has several',
    )
  }
  const readable = !(
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported
  )
  if (readable && checkedBy === 'provider') {
    // What remains is the way to the key set: a timeout, a refused connection, an answer that is no key set.
    return new AuthFailure(
      'keys-unavailable',
      'tokens cannot be checked now, the identity provider does not answer: try again',
    )
  }
  return new AuthFailure('token-malformed', 'the token is not a signed JWT: send the access_token as it was issued')
}
