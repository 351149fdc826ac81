import { expect, test } from 'vitest'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { decide } from '../../machines/login/decide.ts'
import type { LoginEvent } from '../../machines/login/events.ts'
import { loginMachine } from '../../machines/login/machine.ts'
import { replay } from '../support/given.ts'

const at = 1_700_000_000_000
const boss: Party = { org: 'acme', id: 'boss', role: 'admin' }
const added: LoginEvent = { type: 'LoginAdded', org: 'acme', person: 'p1', at }

const after = (...history: readonly LoginEvent[]) => replay(loginMachine, history)

test('an admin adds an e-mail to the own organisation', () => {
  expect(decide(after(), { type: 'AddLogin', org: 'acme', person: 'p1', by: boss, at })).toEqual([added])
})
test('adding the same person again changes nothing', () => {
  expect(decide(after(added), { type: 'AddLogin', org: 'acme', person: 'p1', by: boss, at })).toEqual([])
})
test('an admin cannot add to another organisation', () => {
  expect(decide(after(), { type: 'AddLogin', org: 'other', person: 'p1', by: boss, at })).toEqual(
    new Refusal('admin-only'),
  )
})
test('the same e-mail may stand in several organisations, and no asker learns of the others', () => {
  const many = Array.from({ length: 20 }, (_, i) => ({ ...added, org: `org${i}` }))
  expect(decide(after(...many), { type: 'AddLogin', org: 'acme', person: 'p1', by: boss, at })).toEqual([added])
  expect(after(...many, added).context.accounts).toHaveLength(21)
})
