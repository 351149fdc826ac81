import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { personName } from '../../machines/stream.ts'
import { presence } from '../../src/contracts/presence/contract.ts'
import { eventsOf } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const hub: Party = { id: 'hub', org, role: 'admin' }
const PEOPLE: readonly Party[] = [
  { id: 'tea', org, role: 'teacher' },
  { id: 'tom', org, role: 'teacher' },
  { id: 'stu', org, role: 'student' },
]

const person = fc.constantFrom(...PEOPLE)
const arriving = person.map<Step>((by) => ({ ask, node: { clock } }) => {
  const role = by.role === 'teacher' ? 'teacher' : 'student'
  return ask('presence', personName(by), { type: 'Arrive', role, by, at: clock.now() })
})
const leaving = fc.tuple(person, fc.constantFrom('closed', 'lost')).map<Step>(
  ([by, how]) =>
    ({ ask, node: { clock } }) =>
      ask('presence', personName(by), { type: 'Leave', how, graceMs: 15_000, by, at: clock.now() }),
)

test('[VERIFY-1] presence: hubs are told of every teacher who comes, and hold nothing', async () => {
  const seen = await verify(
    {
      contract: presence,
      steps: fc.array(fc.oneof(arriving, leaving), { minLength: 5, maxLength: 30, size: 'max' }),
      watch: (world) => world.connect(hub, 'hub'),
      held: () => null,
    },
    30,
  )
  expect([...seen.events].sort()).toEqual([...eventsOf('presence')].sort())
  expect([...seen.names]).toEqual(Object.keys(presence.wire))
})
