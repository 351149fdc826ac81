import type { Person } from './machine.ts'

/** When and with what somebody has proved who they are, as their token says. */
export interface LogIn {
  /** Seconds since 1970. */
  readonly loggedInAt: number
  /** Which of their passwords it was: tokens that others sign do not say. */
  readonly passwordVersion?: number
}

/**
 * The password was changed since, so that this log-in counts no more. Passwords are counted, because clocks go back and
 * a second is long; the time decides only for tokens that know of no count. Those of the very second of the change are
 * older.
 */
export function isOutdated(
  { loggedInAt, passwordVersion }: LogIn,
  person: Pick<Person, 'passwordVersion' | 'passwordChangedAt'>,
): boolean {
  if (passwordVersion !== undefined) return passwordVersion < person.passwordVersion
  return person.passwordChangedAt !== null && loggedInAt * 1000 < person.passwordChangedAt
}
