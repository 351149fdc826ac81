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
  sent: seq,
  wasRefused: false,
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

test('a call that was refused first may stand behind what was sent after it, and so may others’ calls', () => {
  expect(inHistory({ acked: swapped({ wasRefused: true }, { wasRefused: true }, {}) })).toEqual([])
  expect(inHistory({ acked: [ack(0, { sent: 1 }), ack(1, { client: 'bob', sent: 0 })] })).toEqual([])
  expect(inHistory({ acked: [ack(2, { sent: 0, id: null }), ack(1)] }), 'nothing was recorded').toEqual([])
})

/** Sent as 0, 1, 2; they stand at 2, 1, 0. */
function swapped(...more: readonly Partial<Acked>[]): Acked[] {
  return more.map((one, i) => ack(2 - i, { sent: i, ...one }))
}
const SWAP = /^overtaken: ada sent call-\d before call-\d, which stand at r\/\d and \d/

test.each<[string, Partial<History>, RegExp]>([
  ['a gap in seq', { facts: [fact(0), fact(2)] }, /^gap: r has seq 2 where 1 is due/],
  ['a seq that comes twice', { facts: [fact(0), fact(0, { call: 'other' })] }, /^gap/],
  ['a call that was recorded twice', { facts: [fact(0), fact(1, { call: 'call-0' })] }, /^doubled: call-0/],
  ['an acknowledged call beyond the end', { acked: [ack(3)] }, /^lost: ada was acknowledged call-3/],
  ['an acknowledged call of which another event took the place', { acked: [ack(1, { id: 'gone' })] }, /^lost/],
  ['an ack that tells the place of another call', { acked: [ack(1, { call: 'call-0' })] }, /^mixed up/],
  [
    'two calls that stand in another order than they were sent',
    { acked: [ack(1, { sent: 2 }), ack(2, { sent: 1 })] },
    SWAP,
  ],
  ['a swap around a call that was refused first', { acked: swapped({}, { wasRefused: true }, {}) }, SWAP],
  ['a swap of which the later call was refused first', { acked: swapped({}, {}, { wasRefused: true }) }, SWAP],
  ['a push of what was never recorded', { connections: heard([push(1, { id: 'rumour' })]) }, /^unfounded/],
  ['pushes in another order than the log’s', { connections: heard([push(2), push(1)]) }, /^out of order/],
  ['a push that comes twice', { connections: heard([push(1), push(1)]) }, /^pushed twice/],
  ['an event that was left out', { connections: heard([push(0), push(2)], -1n) }, /^missed: ada never heard r\/1/],
])('the checker finds %s', (_, history, expected) => {
  expect(inHistory(history)[0]).toMatch(expected)
})
