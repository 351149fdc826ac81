import { hash } from 'node:crypto'

const NAMESPACE = '8f6c1c1e-5a0e-5d0b-9b1f-6c79636575b1'
const NAMESPACE_BYTES = Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex')

/** A UUID (version 5, RFC 9562 section 5.5) that anybody who knows `name` derives again. */
export function derivedUuid(name: string): string {
  const digest = hash('sha1', Buffer.concat([NAMESPACE_BYTES, Buffer.from(name)]), 'hex')
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16)
  const head = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}`
  return `${head}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}

/** The same as 32 hex digits, the form in which ids go over the wire. */
export const derivedId = (name: string): string => derivedUuid(name).replaceAll('-', '')

/** 96 bits of a digest, for telling payloads apart; not for secrets. */
export const digestOf = (text: string): string => hash('sha1', text, 'base64url').slice(0, 16)
