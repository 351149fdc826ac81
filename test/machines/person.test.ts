import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Party, Refusal } from '../../machines/kernel.ts'
import type { PersonCommand } from '../../machines/person/commands.ts'
import { decide } from '../../machines/person/decide.ts'
import type { PersonEvent } from '../../machines/person/events.ts'
import { personMachine } from '../../machines/person/machine.ts'
import { replay } from '../support/given.ts'

const at = 1_700_000_000_000
const iat = 1_700_000_000
const ann: Party = { org: 'acme', id: 'ann', role: 'agent' }
const boss: Party = { org: 'acme', id: 'boss', role: 'admin' }
const stranger: Party = { org: 'other', id: 'ann', role: 'admin' }
const system: Party = { org: 'acme', id: 'system', role: 'system' }

const profile = { email: 'ann@acme.test', full_name: 'Ann Archer' }
const introduced: PersonEvent = {
  type: 'PersonIntroduced',
  org: 'acme',
  id: 'ann',
  role: 'agent',
  profile,
  issuedAt: iat,
  at,
}
const opened: PersonEvent = {
  type: 'AccountOpened',
  org: 'acme',
  id: 'ann',
  role: 'agent',
  login: 'f00d',
  profile,
  passwordHash: 'hash',
  at,
}
const disabled: PersonEvent = { type: 'PersonDisabled', at }
const { type: _, org: _org, at: _at, ...account } = opened

const after = (...history: readonly PersonEvent[]) => replay(personMachine, history)

type Asked = PersonCommand extends infer C ? (C extends PersonCommand ? Omit<C, 'at'> : never) : never
const ask = (history: readonly PersonEvent[], command: Asked) =>
  decide(after(...history), { ...command, at } as PersonCommand)

describe('introducing', () => {
  const introduce = { type: 'Introduce', by: ann, role: 'agent', profile, issuedAt: iat } as const

  test('a person whose token comes first is introduced with what the token says', () => {
    expect(ask([], introduce)).toEqual([introduced])
  })
  test('the same token again changes nothing', () => {
    expect(ask([introduced], introduce)).toEqual([])
  })
  test('a newer token brings the new profile and role', () => {
    const changed = { role: 'supervisor', profile: { ...profile, display_name: 'A.' }, issuedAt: iat + 5 } as const
    expect(ask([introduced], { ...introduce, ...changed })).toEqual([{ type: 'ProfileChanged', ...changed, at }])
  })
  test('an older token does not bring an old profile back', () => {
    expect(ask([introduced], { ...introduce, profile: { email: 'old@acme.test' }, issuedAt: iat - 1 })).toEqual([])
  })
  test('an old token does not undo what a person has changed since', () => {
    const changed: PersonEvent = {
      type: 'ProfileChanged',
      role: 'agent',
      profile: { full_name: 'Ann Baker' },
      at: at + 60_000,
    }
    expect(ask([introduced, changed], { ...introduce, issuedAt: iat + 59 })).toEqual([])
  })
  test('an account knows better than a token', () => {
    expect(ask([opened], { ...introduce, role: 'admin', profile: {}, issuedAt: iat + 5 })).toEqual([])
  })
  test('a disabled person is refused', () => {
    expect(ask([introduced, disabled], introduce)).toEqual(new Refusal('account-disabled'))
  })
})

describe('accounts', () => {
  test('an admin opens an account in the own organisation', () => {
    expect(ask([], { type: 'OpenAccount', by: boss, ...account })).toEqual([opened])
  })
  test('nobody else does', () => {
    expect(ask([], { type: 'OpenAccount', by: { ...boss, role: 'supervisor' }, ...account })).toEqual(
      new Refusal('admin-only'),
    )
  })
  test('an account is opened once', () => {
    expect(ask([opened], { type: 'OpenAccount', by: boss, ...account })).toEqual(new Refusal('account-exists'))
  })
  test('a person who was introduced before keeps the day of the first meeting', () => {
    expect(after(introduced, { ...opened, at: at + 1 }).context).toMatchObject({
      account: true,
      createdAt: at,
      updatedAt: at + 1,
    })
  })
  test('a password is changed by oneself or an admin, where there is one', () => {
    const change = { type: 'ChangePassword', passwordHash: 'new' } as const
    const changed = [{ type: 'PasswordChanged', passwordHash: 'new', version: 1, at }]
    expect(ask([opened], { ...change, by: ann })).toEqual(changed)
    expect(ask([opened], { ...change, by: boss })).toEqual(changed)
    expect(ask([opened], { ...change, by: { ...ann, id: 'bo' } })).toEqual(new Refusal('admin-only'))
    expect(ask([introduced], { ...change, by: ann })).toEqual(new Refusal('not-an-account'))
  })
})

describe('changing a profile', () => {
  test('named fields are set, null removes one, the others stay', () => {
    const changes = { full_name: null, display_name: 'Annie' }
    expect(ask([opened], { type: 'ChangeProfile', by: ann, changes })).toEqual([
      { type: 'ProfileChanged', role: 'agent', profile: { email: 'ann@acme.test', display_name: 'Annie' }, at },
    ])
  })
  test('the same again changes nothing', () => {
    expect(ask([opened], { type: 'ChangeProfile', by: boss, changes: { full_name: 'Ann Archer' } })).toEqual([])
  })
})

describe('disabling', () => {
  test('an admin disables a person, once', () => {
    expect(ask([opened], { type: 'Disable', id: 'ann', by: boss })).toEqual([disabled])
    expect(ask([opened, disabled], { type: 'Disable', id: 'ann', by: boss })).toEqual([])
  })
  test('an admin enables the person again', () => {
    expect(ask([opened, disabled], { type: 'Enable', by: boss })).toEqual([{ type: 'PersonEnabled', at }])
    expect(after(opened, disabled, { type: 'PersonEnabled', at: at + 1 }).context).toMatchObject({
      disabled: false,
      updatedAt: at + 1,
    })
  })
  test('nobody disables oneself', () => {
    expect(ask([{ ...opened, id: 'boss' }], { type: 'Disable', id: 'boss', by: boss })).toEqual(
      new Refusal('not-oneself'),
    )
  })
  test('the system may', () => {
    expect(ask([opened], { type: 'Disable', id: 'ann', by: system })).toEqual([disabled])
  })
  test('a person of another organisation is refused like one who does not exist', () => {
    const nobody = new Refusal('no-such-person')
    expect(ask([opened], { type: 'Disable', id: 'ann', by: stranger })).toEqual(nobody)
    expect(ask([opened], { type: 'Enable', by: stranger })).toEqual(nobody)
    expect(ask([], { type: 'Enable', by: boss })).toEqual(nobody)
    expect(ask([], { type: 'Disable', id: 'ann', by: ann })).toEqual(nobody)
  })
  test('[DOOR-25] somebody unknown is disabled by an admin, never oneself, and enabled again', () => {
    const introduce = { type: 'Introduce', by: ann, role: 'agent', profile, issuedAt: iat } as const
    const shutOut: PersonEvent = { type: 'PersonDisabled', org: 'acme', id: 'ann', at }
    expect(ask([], { type: 'Disable', id: 'ann', by: boss })).toEqual([shutOut])
    expect(ask([], { type: 'Disable', id: 'boss', by: boss })).toEqual(new Refusal('not-oneself'))
    expect(ask([shutOut], introduce)).toEqual(new Refusal('account-disabled'))
    const { context } = replay(personMachine, [shutOut])
    expect(context).toMatchObject({ org: 'acme', id: 'ann', disabled: true, createdAt: at })
    expect(ask([shutOut], { type: 'Enable', by: boss })).toEqual([{ type: 'PersonEnabled', at }])
    expect(ask([shutOut, { type: 'PersonEnabled', at }], introduce)).toMatchObject([{ type: 'ProfileChanged' }])
  })
})

test('whatever is asked in whatever order, what is decided fits the machine and stays in one organisation', () => {
  const by = fc.constantFrom<Party>(ann, boss, stranger, system, { ...ann, id: 'bo' })
  const asked = fc.oneof(
    fc.record({
      type: fc.constant('Introduce' as const),
      by: fc.constant(ann),
      role: fc.constantFrom('agent' as const, 'visitor' as const),
      profile: fc.record({ name: fc.string() }),
      issuedAt: fc.integer({ min: iat - 2, max: iat + 2 }),
    }),
    fc
      .record({ type: fc.constant('OpenAccount' as const), by: fc.constantFrom(ann, boss, system) })
      .map((it) => ({ ...it, ...account })),
    fc.record({
      type: fc.constant('ChangeProfile' as const),
      by,
      changes: fc.record({ name: fc.option(fc.string()) }),
    }),
    fc.record({ type: fc.constant('ChangePassword' as const), by, passwordHash: fc.string() }),
    // Into the stream of a person who is unknown only their own organisation writes: it is in the stream's name.
    fc.record({
      type: fc.constant('Disable' as const),
      id: fc.constant('ann'),
      by: fc.constantFrom(ann, boss, system),
    }),
    fc.record({ type: fc.constant('Enable' as const), by }),
  )
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 12 }), (commands) => {
      const history: PersonEvent[] = []
      for (const command of commands) {
        const decision = ask(history, command)
        if (decision instanceof Refusal) continue
        history.push(...decision) // replaying it fails on an event that the machine cannot take
        if (decision.length > 0) expect(after(...history).context).toMatchObject({ org: 'acme', id: 'ann' })
      }
    }),
  )
})
