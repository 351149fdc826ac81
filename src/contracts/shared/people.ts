import type { Role } from '../../../machines/kernel.ts'
import { fullNameOf, type Profile } from '../../../machines/person/profile.ts'

/** What user objects are made of: a person machine's context or a row of the view `people`. Times in milliseconds. */
export interface PersonFacts {
  readonly role: Role
  readonly profile: Profile
  readonly createdAt: number
  readonly updatedAt: number | null
  readonly disabled: boolean
}

/** A staff member as the support-chat document spells it. Times in seconds. */
export interface StaffUser {
  readonly email: string | null
  readonly created_at: number
  readonly full_name: string | null
  readonly updated_at: number | null
  readonly id: string
  readonly display_name: string | null
  readonly organisation_id: string
  readonly disabled: boolean
  /** null for teachers and students, who have no rank. */
  readonly role_id: 1 | 2 | 3 | null
}

/** A visitor as the support-chat document spells it. Times in seconds. */
export interface VisitorUser {
  readonly email: string | null
  readonly is_anonymous: boolean
  readonly created_at: number
  readonly updated_at: number | null
  readonly name: string | null
  readonly id: string
  readonly disabled: boolean
}

export function staffUser(org: string, id: string, person: PersonFacts): StaffUser {
  return {
    email: person.profile.email ?? null,
    created_at: seconds(person.createdAt),
    full_name: fullNameOf(person.profile),
    updated_at: person.updatedAt === null ? null : seconds(person.updatedAt),
    id,
    display_name: person.profile.display_name ?? null,
    organisation_id: org,
    disabled: person.disabled,
    role_id: roleIdOf(person.role),
  }
}

export function visitorUser(id: string, person: Omit<PersonFacts, 'role'>): VisitorUser {
  const name = person.profile.name ?? fullNameOf(person.profile)
  const email = person.profile.email ?? null
  return {
    email,
    is_anonymous: name === null && email === null,
    created_at: seconds(person.createdAt),
    updated_at: person.updatedAt === null ? null : seconds(person.updatedAt),
    name,
    id,
    disabled: person.disabled,
  }
}

function roleIdOf(role: Role): StaffUser['role_id'] {
  switch (role) {
    case 'admin':
      return 1
    case 'supervisor':
      return 2
    case 'agent':
      return 3
    case 'teacher':
    case 'student':
    case 'visitor':
      return null
  }
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)
