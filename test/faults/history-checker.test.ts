import { expect, test } from 'vitest'
import {
  type Acked,
  type Connection,
  type Fact,
  type History,
  type Push,
  violations,
} from '../support/history-checker.ts'

const fact = (seq: number, more: Partial<Fact> = {}): Fact => ({
  room: 'r',
  seq,
  id: `id-${seq}`,
  pos: BigInt(10 * seq),
  type: 'VisitorWrote',
  call: `call-${seq}`,
  ...more,
})
const FACTS = [fact(0), fact(1), fact(2)]
const ack = (seq: number, more: Partial<Acked> = {}): Acked => ({
  client: 'ada',
  call: `call-${seq}`,
  room: 'r',
  seq,
  id: `id-${seq}`,
  ...more,
})
const push = (seq: number, more: Partial<Push> = {}): Push => ({
  name: 'visitor_send',
  room: 'r',
  seq,
  id: `id-${seq}`,
  pos: BigInt(10 * seq),
  ...more,
})
const heard = (pushes: readonly Push[], allAfter: bigint | null = null): Connection[] => [
  { client: 'ada', pushes, allAfter },
]
const inHistory = (history: Partial<History>): readonly string[] =>
  violations({ facts: FACTS, acked: [], connections: [], ...history })

test('a history without a fault has no violations', () => {
  const connections = [...heard([push(0), push(2)]), ...heard([push(1), push(2)], 0n)]
  expect(inHistory({ acked: [ack(0), ack(2), ack(1, { id: null })], connections })).toEqual([])
})

test.each<[string, Partial<History>, RegExp]>([
  ['a gap in seq', { facts: [fact(0), fact(2)] }, /^gap: r has seq 2 where 1 is due/],
  ['a seq that comes twice', { facts: [fact(0), fact(0, { call: 'other' })] }, /^gap/],
  ['a call that was recorded twice', { facts: [fact(0), fact(1, { call: 'call-0' })] }, /^doubled: call-0/],
  ['an acknowledged call beyond the end', { acked: [ack(3)] }, /^lost: ada was acknowledged call-3/],
  ['an acknowledged call of which another event took the place', { acked: [ack(1, { id: 'gone' })] }, /^lost/],
  ['an ack that tells the place of another call', { acked: [ack(1, { call: 'call-0' })] }, /^mixed up/],
  ['a push of what was never recorded', { connections: heard([push(1, { id: 'rumour' })]) }, /^unfounded/],
  ['pushes in another order than the log’s', { connections: heard([push(2), push(1)]) }, /^out of order/],
  ['a push that comes twice', { connections: heard([push(1), push(1)]) }, /^pushed twice/],
  ['an event that was left out', { connections: heard([push(0), push(2)], -1n) }, /^missed: ada never heard r\/1/],
])('the checker finds %s', (_, history, expected) => {
  expect(inHistory(history)[0]).toMatch(expected)
})
