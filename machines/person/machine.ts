import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Role } from '../kernel.ts'
import type { PersonEvent } from './events.ts'
import type { Profile } from './profile.ts'

/** Everything recorded of one person. Times in milliseconds, `issuedAt` in seconds. */
export interface Person {
  readonly org: string
  readonly id: string
  readonly role: Role
  readonly profile: Profile
  /** True for whoever has a password here: the account is then the authority on role and profile, not the token. */
  readonly account: boolean
  readonly passwordHash: string | null
  /** How often the password was changed; tokens say which one they were got with. */
  readonly passwordVersion: number
  readonly passwordChangedAt: number | null
  /** When the role and profile above were true: older tokens do not overwrite them. */
  readonly issuedAt: number
  readonly createdAt: number
  readonly updatedAt: number | null
  readonly disabled: boolean
}

type Of<Type extends PersonEvent['type']> = Extract<PersonEvent, { type: Type }>

/**
 * unknown -> known -> disabled -> known; unknown -> disabled.
 *
 * Fed recorded events only, live and on replay alike: whether something may happen is decided in decide.ts.
 */
export const personMachine = setup({
  types: { context: {} as Person, events: {} as PersonEvent },
  actions: {
    introduce: assign((_, p: Of<'PersonIntroduced'>) => ({
      org: p.org,
      id: p.id,
      role: p.role,
      profile: p.profile,
      issuedAt: p.issuedAt,
      createdAt: p.at,
    })),
    openAccount: assign(({ context }, p: Of<'AccountOpened'>) => ({
      org: p.org,
      id: p.id,
      role: p.role,
      profile: p.profile,
      account: true,
      passwordHash: p.passwordHash,
      ...(context.createdAt === 0 ? { createdAt: p.at } : { updatedAt: p.at }),
    })),
    changeProfile: assign((_, p: Of<'ProfileChanged'>) => ({
      role: p.role,
      profile: p.profile,
      issuedAt: p.issuedAt ?? Math.floor(p.at / 1000),
      updatedAt: p.at,
    })),
    changePassword: assign(({ context }, p: Of<'PasswordChanged'>) => ({
      passwordHash: p.passwordHash,
      passwordVersion: p.version ?? context.passwordVersion + 1,
      passwordChangedAt: p.at,
      updatedAt: p.at,
    })),
    disable: assign((_, p: Of<'PersonDisabled'>) => ({ disabled: true, updatedAt: p.at })),
    disableStranger: assign((_, p: Of<'PersonDisabled'>) => ({
      org: p.org ?? '',
      id: p.id ?? '',
      createdAt: p.at,
      disabled: true,
    })),
    enable: assign((_, p: Of<'PersonEnabled'>) => ({ disabled: false, updatedAt: p.at })),
  },
}).createMachine({
  id: 'person',
  context: {
    org: '',
    id: '',
    role: 'visitor',
    profile: {},
    account: false,
    passwordHash: null,
    passwordVersion: 0,
    passwordChangedAt: null,
    issuedAt: 0,
    createdAt: 0,
    updatedAt: null,
    disabled: false,
  },
  initial: 'unknown',
  states: {
    unknown: {
      on: {
        PersonIntroduced: { target: 'known', actions: { type: 'introduce', params: ({ event }) => event } },
        AccountOpened: { target: 'known', actions: { type: 'openAccount', params: ({ event }) => event } },
        PersonDisabled: { target: 'disabled', actions: { type: 'disableStranger', params: ({ event }) => event } },
      },
    },
    known: {
      on: {
        AccountOpened: { actions: { type: 'openAccount', params: ({ event }) => event } },
        ProfileChanged: { actions: { type: 'changeProfile', params: ({ event }) => event } },
        PasswordChanged: { actions: { type: 'changePassword', params: ({ event }) => event } },
        PersonDisabled: { target: 'disabled', actions: { type: 'disable', params: ({ event }) => event } },
      },
    },
    disabled: {
      on: {
        ProfileChanged: { actions: { type: 'changeProfile', params: ({ event }) => event } },
        PasswordChanged: { actions: { type: 'changePassword', params: ({ event }) => event } },
        PersonEnabled: { target: 'known', actions: { type: 'enable', params: ({ event }) => event } },
      },
    },
  },
})

export type PersonState = SnapshotFrom<typeof personMachine>
