import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Party } from '../../../machines/kernel.ts'
import { type Authenticator, AuthFailure } from '../auth/authenticator.ts'
import { type ParticipantToken, participantOf } from '../auth/participant-tokens.ts'
import { type Identity, tokenFrom } from '../auth/tokens.ts'
import { answerHandshake } from './answered-handshake.ts'

/** What is known about a connection from its HTTP request alone. */
export interface Handshake {
  /** From the Authorization header (decides over `auth.token`) or the query, `auth` or `token` (does not). */
  readonly identity: Identity | undefined
  readonly from: 'header' | 'query' | undefined
  /** Instead of an identity: somebody who was here before without one. */
  readonly participant?: ParticipantToken
}

/**
 * Checks the token of a Socket.IO handshake where it came in a header or in the query, and answers 401 itself when it
 * is bad (503 when nobody can tell), because that must happen on the HTTP request. A connection without either may
 * still bring `auth.token` in its first packet.
 */
export function handshakes(auth: Authenticator) {
  const seen = new WeakMap<IncomingMessage, Handshake>()

  return {
    /** Engine.IO middleware: runs for every request, works only on the first one of a connection. */
    async check(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
      const query = new URL(request.url ?? '/', 'http://localhost').searchParams
      if (query.get('sid')) return next() // an empty one begins a connection, too
      const { authorization } = request.headers
      const token = authorization ?? query.get('auth') ?? query.get('token')
      if (token === null) {
        seen.set(request, { identity: undefined, from: undefined })
        return next()
      }
      const from = authorization === undefined ? 'query' : 'header'
      const participant = participantOf(tokenFrom(token) ?? '')
      if (participant !== null) {
        seen.set(request, { identity: undefined, from, participant })
        return next()
      }
      const identity = await auth.verify(tokenFrom(token))
      if (identity instanceof AuthFailure) return deny(request, response, identity)
      seen.set(request, { identity, from })
      next()
    },
    of: (request: IncomingMessage): Handshake => seen.get(request) ?? { identity: undefined, from: undefined },
  }
}

/** Anything in the query that says who somebody is must say what the token says: it is a hint, never a claim. */
export function contradicts(query: Readonly<Record<string, unknown>>, { role, org, id }: Party): string | undefined {
  const claims: Record<string, string> = { role, org_id: org, user_id: id }
  for (const [name, claim] of Object.entries(claims)) {
    const hint = query[name]
    if (hint !== undefined && hint !== '' && hint !== claim)
      return `the query says ${name}=${String(hint)}, the token says otherwise: leave it out`
  }
  return undefined
}

function deny(request: IncomingMessage, response: ServerResponse, { code, message, isPassing }: AuthFailure): void {
  answerHandshake(request, response, isPassing ? 503 : 401, { code, message })
}
