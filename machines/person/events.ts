import type { EventSchema, Role } from '../kernel.ts'
import type { Profile } from './profile.ts'

/** Roles that an account can have: a visitor needs none. */
export type AccountRole = Exclude<Role, 'visitor'>

/**
 * Stream `person-<org>.<id>`. `at` is milliseconds; `issuedAt` is the `iat` of the token that taught us this, in
 * seconds. The first event names the organisation and the person, because rules ask who somebody is and a machine does
 * not see its stream's name.
 */
export type PersonEvent =
  /** Somebody whose token was issued elsewhere (or without an account, as visitors' are) came for the first time. */
  | {
      readonly type: 'PersonIntroduced'
      readonly org: string
      readonly id: string
      readonly role: Role
      readonly profile: Profile
      readonly issuedAt: number
      readonly at: number
    }
  /**
   * `login` names the stream `login-<login>`: a hash of the e-mail, so that views can index it without reading personal
   * data.
   */
  | {
      readonly type: 'AccountOpened'
      readonly org: string
      readonly id: string
      readonly role: AccountRole
      readonly login: string
      readonly profile: Profile
      readonly passwordHash: string
      readonly at: number
    }
  /** The whole profile as it is now. Without `issuedAt` a person asked for it, with it a newer token did. */
  | {
      readonly type: 'ProfileChanged'
      readonly role: Role
      readonly profile: Profile
      readonly issuedAt?: number
      readonly at: number
    }
  /** `version` counts the changes, this one included; older releases left it out. Older tokens end. */
  | {
      readonly type: 'PasswordChanged'
      readonly passwordHash: string
      readonly version?: number
      readonly at: number
    }
  /** `org` and `id` where it is the first event: of whom nothing else is known may be shut out as well. */
  | { readonly type: 'PersonDisabled'; readonly org?: string; readonly id?: string; readonly at: number }
  | { readonly type: 'PersonEnabled'; readonly at: number }

export const personEvents: Readonly<Record<PersonEvent['type'], EventSchema>> = {
  PersonIntroduced: { version: 1, personal: ['profile'], upcasts: {} },
  AccountOpened: { version: 1, personal: ['profile', 'passwordHash'], upcasts: {} },
  ProfileChanged: { version: 1, personal: ['profile'], upcasts: {} },
  PasswordChanged: { version: 1, personal: ['passwordHash'], upcasts: {} },
  PersonDisabled: { version: 1, personal: [], upcasts: {} },
  PersonEnabled: { version: 1, personal: [], upcasts: {} },
}
