import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Party } from '../../../machines/kernel.ts'
import type { Keys } from './keys.ts'
import { ownPayload } from './own-tokens.ts'
import { KeysUnavailable, type ProviderKeys } from './provider-keys.ts'
import { type Claims, claimsOf, type Identity, payloadOf, problemOf } from './tokens.ts'

export type AuthCode =
  | 'token-missing'
  | 'token-malformed'
  | 'token-not-ours'
  | 'token-expired'
  | 'token-early'
  | 'token-claims'
  | 'keys-unavailable'
  | 'organisation-unknown'
  | 'organisation-unclear'

/** Why a token was not taken; a value like a Refusal. `message` is meant for the client and holds nothing secret. */
export class AuthFailure {
  readonly code: AuthCode
  readonly message: string
  constructor(code: AuthCode, message: string) {
    this.code = code
    this.message = message
  }

  /** It says nothing about the token: whoever comes again later may be let in. */
  get isPassing(): boolean {
    return this.code === 'keys-unavailable' || this.code === 'organisation-unclear'
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

/** How far ahead the clock of whoever issues tokens may be, in seconds, where a token says from when on it is good. */
const NBF_LEEWAY = 5
/**
 * The same for `iat`, which forbids nothing: clocks that are half a minute ahead are common, and let in. A token from
 * further ahead would hold its names, and survive changes of the password, for as long.
 */
const IAT_LEEWAY = 60

/**
 * Checks and signs tokens. Costs one HMAC per token (or one signature check with a provider's key); holds no state but
 * the keys.
 */
export function authenticator({ keys, issuer, audience, now }: AuthenticatorOptions): Authenticator {
  const fixed = { issuer, audience, algorithms: [...keys.algorithms] }

  const payloadIn = async (token: string): Promise<JWTPayload> => {
    const options: JWTVerifyOptions = { ...fixed, currentDate: new Date(now()), clockTolerance: NBF_LEEWAY }
    if (keys.kind === 'provider') return payloadByProvider(token, keys.provider, options)
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
        if (problem !== null) return new AuthFailure('token-claims', problem)
        const seconds = Math.floor(now() / 1000)
        const identity = claimsOf(payload, seconds)
        if (identity.exp <= seconds) return EXPIRED // the leeway is for beginnings alone
        return identity.iat > seconds + IAT_LEEWAY ? early('iat', identity.iat, seconds, IAT_LEEWAY) : identity
      } catch (error) {
        return failureOf(error, keys.kind, Math.floor(now() / 1000))
      }
    },
    sign: keys.kind === 'secret' ? sign : null,
  }
}

/** A provider may exchange a key and not its name: only keys that were asked for after the token came say no. */
async function payloadByProvider(token: string, provider: ProviderKeys, options: JWTVerifyOptions) {
  const check = async (): Promise<JWTPayload> => (await jwtVerify(token, provider.find, options)).payload
  const renew = provider.renewal()
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof errors.JWSSignatureVerificationFailed) || !(await renew())) throw error
    return check()
  }
}

/** The same person as the machines know one. */
export const partyOf = ({ id, org, role }: Claims): Party => ({ id, org, role })

const UNAVAILABLE = new AuthFailure(
  'keys-unavailable',
  'tokens cannot be checked now, the identity provider does not answer: try again',
)
const EXPIRED = new AuthFailure('token-expired', 'token expired')

const early = (claim: 'nbf' | 'iat', at: number, now: number, leeway: number): AuthFailure =>
  new AuthFailure(
    'token-early',
    `the token is early: its claim "${claim}" is ${at - now} s ahead of this server's clock, and at most ${leeway} s ` +
      'are let pass. Is the clock of whoever issued it right?',
  )

function failureOf(error: unknown, checkedBy: Keys['kind'], now: number): AuthFailure {
  if (error instanceof KeysUnavailable) return UNAVAILABLE
  if (error instanceof errors.JWTExpired) return EXPIRED
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { nbf } = error.payload
    if (error.claim === 'nbf' && typeof nbf === 'number') return early('nbf', nbf, now, NBF_LEEWAY)
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
  if (readable && checkedBy === 'provider') return UNAVAILABLE // what remains is a key that cannot be read
  return new AuthFailure('token-malformed', 'the token is not a signed JWT: send the access_token as it was issued')
}
