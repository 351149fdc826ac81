import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about accounts, users and logins. */
export const accountRefusals = {
  'account-disabled': [401, 'this account is disabled: ask an admin of your organisation'],
  'account-exists': [409, 'there is an account with this email already: change it, or use another email'],
  'admin-only': [403, 'only admins may do this'],
  'bad-credentials': [401, 'the email or the password is wrong'],
  'current-password-required': [400, 'send current_password as well to change your own password'],
  'log-in-again': [401, 'this log-in is thirty days old: log in again'],
  'no-such-organisation': [403, '{why}'],
  'no-such-person': [404, 'there is no such user in your organisation'],
  'not-a-visitor': [409, 'the token is not that of a visitor of this organisation: leave it out'],
  'not-an-account': [409, 'this user logs in elsewhere and has no password here'],
  'not-oneself': [403, 'you cannot do this to yourself: ask another admin'],
  'organisation-required': [409, 'this login exists in several organisations: send org_id as well'],
  'other-organisation': [403, 'accounts are opened in your own organisation: leave org_id out'],
  'staff-only': [403, 'only staff may do this'],
  'token-not-taken': [401, '{why}'],
  'tokens-issued-elsewhere': [404, '{why}'],
} as const satisfies Refusals
