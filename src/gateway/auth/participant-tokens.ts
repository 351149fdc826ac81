import { hash, randomBytes } from 'node:crypto'

/** What an anonymous participant is known by; `token` is theirs alone, `id` may be told to everybody. */
export interface ParticipantToken {
  readonly id: string
  readonly token: string
}

/** 256 random bits in base64url. The dot keeps it apart from ids, the missing second one from JWTs. */
const TOKEN = /^participant\.[A-Za-z0-9_-]{43}$/
const ID_CHARACTERS = 24

/** For somebody who came without any token. */
export const newParticipant = (): ParticipantToken => known(`participant.${randomBytes(32).toString('base64url')}`)

/**
 * Whoever brings this token, null when it is none. The id is made of the token's SHA-256 (144 bits of it), so nothing
 * has to be kept or signed, and every node comes to the same id, also where tokens are issued elsewhere. It cannot be
 * chosen: a token that somebody makes up leads to an id that nobody has.
 */
export function participantOf(token: string): ParticipantToken | null {
  return TOKEN.test(token) ? known(token) : null
}

const known = (token: string): ParticipantToken => ({
  id: `anon-${hash('sha256', token, 'base64url').slice(0, ID_CHARACTERS)}`,
  token,
})
