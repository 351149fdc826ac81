import { hash, randomBytes } from 'node:crypto'

/** 256 random bits in base64url. */
export const VISITOR_SECRET = /^visitor\.[A-Za-z0-9_-]{43}$/
const ID_CHARACTERS = 32

/** What makes a visitor the same person again, for as long as they keep it; nobody else is told. */
export const newVisitorSecret = (): string => `visitor.${randomBytes(32).toString('base64url')}`

/**
 * The visitor of this organisation who has this secret. The id is made of both (128 bits of their SHA-256), so nothing
 * has to be kept, every node comes to the same id, and a secret leads to nobody in another organisation. It cannot be
 * chosen: a secret that somebody makes up leads to an id that nobody has.
 */
export const visitorIdOf = (org: string, secret: string): string =>
  hash('sha256', `${org} ${secret}`, 'hex').slice(0, ID_CHARACTERS)
