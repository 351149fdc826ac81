import { createHmac, hkdfSync } from 'node:crypto'

/** `<org>.<id>` -> 32 hex digits that tell one person from another and nobody who they are. */
export type Pseudonyms = (person: string) => string

/**
 * The same person has the same pseudonym on every node with the same secret, for ever: Mixpanel counts an event that is
 * sent twice once only when its distinct id is the same too. Nobody without the secret can find the person, not even by
 * trying all ids (HMAC, RFC 2104). A key of its own is derived (HKDF, RFC 5869), so that what Mixpanel sees says
 * nothing about tokens that the secret may also sign. A new secret makes everybody a new person for Mixpanel.
 *
 * @param secret at least 32 bytes
 */
export function pseudonyms(secret: string): Pseudonyms {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'lyceum mixpanel distinct ids', 32))
  return (person) => createHmac('sha256', key).update(person).digest('hex').slice(0, 32)
}
