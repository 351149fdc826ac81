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
const tea: Party = { id: 'tea', org, role: 'teacher' }
const PEOPLE: readonly Party[] = [tea, { id: 'tom', org, role: 'teacher' }, { id: 'stu', org, role: 'student' }]

const roleOf = ({ role }: Party): 'teacher' | 'student' => (role === 'teacher' ? 'teacher' : 'student')
const arrives =
  (by: Party): Step =>
  ({ ask, node: { clock } }) =>
    ask('presence', personName(by), { type: 'Arrive', role: roleOf(by), by, at: clock.now() })
const leaves =
  (by: Party, how: 'closed' | 'lost'): Step =>
  ({ ask, node: { clock } }) =>
    ask('presence', personName(by), { type: 'Leave', how, graceMs: GRACE_MS, by, at: clock.now() })
/** Back from a loss that nobody had noticed. */
const returns =
  (by: Party, awayMs: number): Step =>
  async ({ ask, node: { clock, entities } }) => {
    const { backAt: backBefore } = (await entities.state('presence', personName(by))).state.context
    const backAt = clock.now()
    const back = { role: roleOf(by), graceMs: GRACE_MS, lostAt: backAt - awayMs, backAt, backBefore }
    return ask('presence', personName(by), { type: 'Return', ...back, by, at: clock.now() })
  }
const expires =
  (by: Party, afterMs: number): Step =>
  async (world) => {
    world.advance(afterMs)
    const { clock, entities } = world.node
    const { until } = (await entities.state('presence', personName(by))).state.context
    return world.ask('presence', personName(by), { type: 'Expire', until: until ?? 0, by, at: clock.now() })
  }

const person = fc.constantFrom(...PEOPLE)
const leaving = fc.tuple(person, fc.constantFrom('closed', 'lost')).map((how) => leaves(...how))
const returning = fc.tuple(person, fc.nat(2)).map((how) => returns(...how))
const expiring = fc.tuple(person, fc.constantFrom(0, GRACE_MS)).map((how) => expires(...how))
const some = fc.oneof(person.map(arrives), person.map(arrives), leaving, leaving, returning, expiring)

test('[VERIFY-1] [VERIFY-2] presence: hubs are told of every teacher who comes, and hold nothing', async () => {
  const seen = await verify(
    {
      contract: presence,
      steps: fc.array(some, { minLength: 5, maxLength: 30, size: 'max' }),
      example: [arrives(tea), returns(tea, 1), leaves(tea, 'lost'), expires(tea, GRACE_MS)],
      watch: (world) => world.connect(hub, 'hub'),
      held: () => null,
    },
    30,
  )
  expect(unseen(seen, 'presence')).toEqual([])
  expect([...seen.names]).toEqual(Object.keys(presence.wire))
})
