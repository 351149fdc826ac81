import { hash } from 'node:crypto'
import { derivedId } from '../../runtime/ids.ts'

/** The spelling that counts: e-mail servers may tell cases apart, people do not. */
export const normalEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase()

/**
 * Id of an account: 32 hex digits of a UUID (version 5) of organisation and e-mail. So one e-mail is one account per
 * organisation.
 */
export const accountId = (org: string, email: string): string => derivedId(`account\0${org}\0${normalEmail(email)}`)

/** Names the stream `login-<loginId>`: 128 bits of the e-mail's SHA-256. */
export const loginId = (email: string): string => hash('sha256', normalEmail(email), 'hex').slice(0, 32)
