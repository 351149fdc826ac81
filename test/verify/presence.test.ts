import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { personName } from '../../machines/stream.ts'
import { presence } from '../../src/contracts/presence/contract.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const GRACE_MS = 15_000
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
      ask('presence', personName(by), { type: 'Leave', how, graceMs: GRACE_MS, by, at: clock.now() }),
)
/** Back from a loss that nobody had noticed. */
const returning = fc.tuple(person, fc.nat(2)).map<Step>(([by, awayMs]) => ({ ask, node: { clock } }) => {
  const role = by.role === 'teacher' ? 'teacher' : 'student'
  const at = clock.now()
  return ask('presence', personName(by), { type: 'Return', role, graceMs: GRACE_MS, lostAt: at - awayMs, by, at })
})
const expiring = fc.tuple(person, fc.constantFrom(0, GRACE_MS)).map<Step>(([by, afterMs]) => (world) => {
  world.advance(afterMs)
  return world.ask('presence', personName(by), { type: 'Expire', by, at: world.node.clock.now() })
})

test('[VERIFY-1] [VERIFY-2] presence: hubs are told of every teacher who comes, and hold nothing', async () => {
  const seen = await verify(
    {
      contract: presence,
      steps: fc.array(fc.oneof(arriving, arriving, leaving, leaving, returning, expiring), {
        minLength: 5,
        maxLength: 30,
        size: 'max',
      }),
      watch: (world) => world.connect(hub, 'hub'),
      held: () => null,
    },
    30,
  )
  expect(unseen(seen, 'presence')).toEqual([])
  expect([...seen.names]).toEqual(Object.keys(presence.wire))
})
