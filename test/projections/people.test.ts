import { expect, test } from 'vitest'
import type { PersonEvent } from '../../machines/person/events.ts'
import { displayNameOf } from '../../machines/person/profile.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { staffUser, visitorUser } from '../../src/contracts/shared/people.ts'

const at = 1_572_522_995_123
const profile = { email: 'ann@acme.test', full_name: 'Ann Archer' }
const introduced: PersonEvent = {
  type: 'PersonIntroduced',
  org: 'acme',
  id: 'ann',
  role: 'agent',
  profile,
  issuedAt: 1,
  at,
}
const opened: PersonEvent = {
  ...introduced,
  type: 'AccountOpened',
  role: 'agent',
  login: 'f00d',
  passwordHash: '$argon2id$secret',
}

const told = (event: PersonEvent, revision: number) => ({
  id: '',
  stream: 'person-acme.ann',
  revision,
  position: 0n,
  at: 0,
  event,
})
const folded = (...events: readonly PersonEvent[]) =>
  events.reduce<PersonRow | undefined>((row, event, revision) => people.fold(row, told(event, revision)), undefined)

const MOVED = `moved/acme/${'0'.repeat(20)}/ann`

test(
  'a person stands in the lists of the organisation, an account in that of the e-mail, a visitor in ' +
    'no list of users',
  () => {
    const listed = (row: PersonRow | undefined) => row && people.index(people.key(told(introduced, 0)) ?? '', row)
    expect(listed(folded(introduced))).toEqual(['org/acme/ann', 'users/acme/ann', MOVED])
    expect(listed(folded(introduced, opened))).toEqual(['org/acme/ann', 'users/acme/ann', MOVED, 'email/f00d/acme/ann'])
    expect(listed(folded({ ...introduced, role: 'visitor' }))).toEqual(['org/acme/ann', MOVED])
  },
)
test('streams of other kinds are none of its business', () => {
  expect(people.key({ ...told(introduced, 0), stream: 'presence-acme.ann' })).toBeNull()
})
test('a row follows the person and remembers the last revision', () => {
  const row = folded(
    opened,
    { type: 'PersonDisabled', at: at + 1 },
    { type: 'ProfileChanged', role: 'admin', profile: {}, at: at + 2 },
  )
  expect(row).toEqual({
    seq: 2,
    id: 'ann',
    role: 'admin',
    profile: {},
    createdAt: at,
    updatedAt: at + 2,
    disabled: true,
    movedAt: '0'.repeat(20),
    login: 'f00d',
  })
})
test('a row never holds a password hash', () => {
  const row = folded(opened, { type: 'PasswordChanged', passwordHash: '$argon2id$other', at })
  expect(JSON.stringify(row)).not.toContain('argon2id')
})
test('a staff user has exactly the fields of the support-chat document', () => {
  expect(staffUser('acme', 'ann', folded(opened) as PersonRow)).toEqual({
    email: 'ann@acme.test',
    created_at: 1_572_522_995,
    full_name: 'Ann Archer',
    updated_at: null,
    id: 'ann',
    display_name: null,
    organisation_id: 'acme',
    disabled: false,
    role_id: 3,
  })
})
test('a visitor is anonymous who left neither name nor e-mail', () => {
  const visitor = { profile: {}, createdAt: at, updatedAt: null, disabled: false }
  const user = {
    email: null,
    is_anonymous: true,
    created_at: 1_572_522_995,
    updated_at: null,
    name: null,
    id: 'v1',
    disabled: false,
  }
  expect(visitorUser('v1', visitor)).toEqual(user)
  expect(visitorUser('v1', { ...visitor, profile: { name: 'Vera' } })).toEqual({
    ...user,
    name: 'Vera',
    is_anonymous: false,
  })
})
test('everybody can be named in a sentence', () => {
  expect(displayNameOf('ann', { display_name: 'A.', full_name: 'Ann' })).toBe('A.')
  expect(displayNameOf('ann', { first_name: 'Ann', last_name: 'Archer' })).toBe('Ann Archer')
  expect(displayNameOf('ann', {})).toBe('ann')
})
