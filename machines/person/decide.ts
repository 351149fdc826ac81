import { type Decision, type Party, refuse, unreachable } from '../kernel.ts'
import type { PersonCommand } from './commands.ts'
import type { PersonEvent } from './events.ts'
import type { Person, PersonState } from './machine.ts'
import { changedProfile, sameProfile } from './profile.ts'

/**
 * Refusals: `account-disabled`, `account-exists`, `admin-only`, `no-such-person` (also for every person of another
 * organisation: organisations are walls), `not-an-account`, `not-oneself`.
 */
export function decide(state: PersonState, command: PersonCommand): Decision<PersonEvent> {
  const person = state.context
  const { by, at } = command

  switch (command.type) {
    case 'Introduce': {
      const { role, profile, issuedAt } = command
      if (state.matches('unknown'))
        return [{ type: 'PersonIntroduced', org: by.org, id: by.id, role, profile, issuedAt, at }]
      if (state.matches('disabled')) return refuse('account-disabled')
      if (person.account || issuedAt < person.issuedAt) return []
      if (role === person.role && sameProfile(profile, person.profile)) return []
      return [{ type: 'ProfileChanged', role, profile, issuedAt, at }]
    }

    case 'OpenAccount': {
      if (!isAdmin(by)) return refuse('admin-only')
      if (person.account) return refuse('account-exists')
      if (state.matches('disabled')) return refuse('account-disabled')
      const { id, role, login, profile, passwordHash } = command
      return [{ type: 'AccountOpened', org: by.org, id, role, login, profile, passwordHash, at }]
    }

    case 'ChangeProfile': {
      if (!isHere(state, by)) return refuse('no-such-person')
      if (!isAdmin(by) && !isSelf(person, by)) return refuse('admin-only')
      const profile = changedProfile(person.profile, command.changes)
      return sameProfile(profile, person.profile) ? [] : [{ type: 'ProfileChanged', role: person.role, profile, at }]
    }

    case 'ChangePassword':
      if (!isHere(state, by)) return refuse('no-such-person')
      if (!isAdmin(by) && !isSelf(person, by)) return refuse('admin-only')
      if (!person.account) return refuse('not-an-account')
      return [{ type: 'PasswordChanged', passwordHash: command.passwordHash, version: person.passwordVersion + 1, at }]

    case 'Disable':
      if (state.matches('unknown')) {
        if (!isAdmin(by)) return refuse('no-such-person')
        return by.id === command.id && by.role !== 'system'
          ? refuse('not-oneself')
          : [{ type: 'PersonDisabled', org: by.org, id: command.id, at }]
      }
      if (!isHere(state, by)) return refuse('no-such-person')
      if (!isAdmin(by)) return refuse('admin-only')
      // Whoever asks is an admin and stays one: an organisation never locks its last admin out.
      if (isSelf(person, by)) return refuse('not-oneself')
      return state.matches('disabled') ? [] : [{ type: 'PersonDisabled', at }]

    case 'Enable':
      if (!isHere(state, by)) return refuse('no-such-person')
      if (!isAdmin(by)) return refuse('admin-only')
      if (isSelf(person, by)) return refuse('not-oneself')
      return state.matches('disabled') ? [{ type: 'PersonEnabled', at }] : []

    default:
      return unreachable(command)
  }
}

const isAdmin = (by: Party): boolean => by.role === 'admin' || by.role === 'system'
const isSelf = (person: Person, by: Party): boolean =>
  by.id === person.id && by.org === person.org && by.role !== 'system'
const isHere = (state: PersonState, by: Party): boolean =>
  !state.matches('unknown') && (by.role === 'system' || by.org === state.context.org)
