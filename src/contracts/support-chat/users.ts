import { isStaff, type Role } from '../../../machines/kernel.ts'
import type { Profiles } from '../../delivery/feed.ts'
import { type PersonFacts, type StaffUser, staffUser, type VisitorUser, visitorUser } from '../shared/people.ts'

/** A person with the object that stands for them on the wire. */
export type Somebody =
  | { readonly kind: 'staff'; readonly user: StaffUser }
  | { readonly kind: 'visitor'; readonly user: VisitorUser }

/** Staff and visitors of one organisation as the wire shows them. */
export interface Users {
  staff(id: string): StaffUser
  visitor(id: string): VisitorUser
  /** Undefined for those who have no part in the desk. */
  somebody(id: string, role: Role): Somebody | undefined
}

export function usersOf(profiles: Profiles, org: string): Users {
  const staff = (id: string): StaffUser => {
    const row = profiles.get({ org, id })
    return row ? objectOf(staffUsers, row, () => staffUser(org, id, row)) : staffUser(org, id, stranger('agent'))
  }
  const visitor = (id: string): VisitorUser => {
    const row = profiles.get({ org, id })
    return row ? objectOf(visitorUsers, row, () => visitorUser(id, row)) : visitorUser(id, stranger('visitor'))
  }
  return {
    staff,
    visitor,
    somebody(id, role) {
      if (isStaff(role)) return { kind: 'staff', user: staff(id) }
      return role === 'visitor' ? { kind: 'visitor', user: visitor(id) } : undefined
    },
  }
}

// A row is one person's for ever, and a new one when anything changes: so are the objects that stand for it on the
// wire.
const staffUsers = new WeakMap<PersonFacts, StaffUser>()
const visitorUsers = new WeakMap<PersonFacts, VisitorUser>()

function objectOf<U>(known: WeakMap<PersonFacts, U>, row: PersonFacts, make: () => U): U {
  let object = known.get(row)
  if (object === undefined) {
    object = make()
    known.set(row, object)
  }
  return object
}

/**
 * Stands for a person of whom nothing is recorded: only histories that were written by other programs have such people.
 */
const stranger = (role: Role): PersonFacts => ({ role, profile: {}, createdAt: 0, updatedAt: null, disabled: false })
