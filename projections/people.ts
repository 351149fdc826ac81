import { type Recorded, type Role, unreachable } from '../machines/kernel.ts'
import type { PersonEvent } from '../machines/person/events.ts'
import type { Profile } from '../machines/person/profile.ts'
import { padded } from './padded.ts'
import { projectionOf, type Row } from './projection.ts'

/**
 * One person, for lists. Times in milliseconds. It never holds a password hash: views are copied to more places than
 * the log.
 */
export interface PersonRow extends Row {
  readonly id: string
  readonly role: Role
  readonly profile: Profile
  readonly createdAt: number
  readonly updatedAt: number | null
  readonly disabled: boolean
  /** Position of the last event, so padded that text order is log order. */
  readonly movedAt: string
  /** For those who have an account: the hash in the name of the stream `login-<login>`. */
  readonly login?: string
}

/**
 * Rows `<org>/<id>`. Lists: `org/<org>/<id>`, the people of an organisation by id; `users/<org>/<id>`, the same without
 * its many visitors; `email/<login>/<org>/<id>`, the accounts of one e-mail; `moved/<org>/<movedAt>/<id>`, who changed
 * last.
 */
export const people = projectionOf<PersonRow, 'person'>('person', {
  name: 'people',
  version: 2,
  key: (person) => person.replace('.', '/'), // neither an organisation's id nor a person's has a dot
  id: (key) => key.replace('/', '.'),
  fold,
  index: (key, { role, login, movedAt }) => [
    `org/${key}`,
    ...(role === 'visitor' ? [] : [`users/${key}`]),
    `moved/${key.replace('/', `/${movedAt}/`)}`,
    ...(login === undefined ? [] : [`email/${login}/${key}`]),
  ],
})

function fold(
  row: PersonRow | undefined,
  { event, revision: seq, stream, position }: Recorded<PersonEvent>,
): PersonRow {
  const movedAt = padded(position)
  switch (event.type) {
    case 'PersonIntroduced':
      return {
        seq,
        id: event.id,
        role: event.role,
        profile: event.profile,
        createdAt: event.at,
        updatedAt: null,
        disabled: false,
        movedAt,
      }
    case 'AccountOpened': {
      const met = row ? { createdAt: row.createdAt, updatedAt: event.at } : { createdAt: event.at, updatedAt: null }
      return {
        seq,
        id: event.id,
        role: event.role,
        profile: event.profile,
        ...met,
        disabled: false,
        movedAt,
        login: event.login,
      }
    }
    case 'ProfileChanged':
    case 'PasswordChanged':
    case 'PersonDisabled':
    case 'PersonEnabled': {
      if (!row && event.type === 'PersonDisabled' && event.id !== undefined) {
        const nothing = { role: 'visitor', profile: {}, createdAt: event.at, updatedAt: null } as const
        return { seq, id: event.id, ...nothing, disabled: true, movedAt }
      }
      if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} of somebody who was never introduced`)
      const then = { ...row, seq, updatedAt: event.at, movedAt }
      if (event.type === 'ProfileChanged') return { ...then, role: event.role, profile: event.profile }
      return event.type === 'PasswordChanged' ? then : { ...then, disabled: event.type === 'PersonDisabled' }
    }
    default:
      return unreachable(event)
  }
}
