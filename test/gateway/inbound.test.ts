import { beforeEach, expect, test } from 'vitest'
import { type Party, refuse } from '../../machines/kernel.ts'
import type { Inbound, InboundCall, Outcome } from '../../src/delivery/connection.ts'
import { posOf } from '../../src/delivery/cursor.ts'
import type { Refusals } from '../../src/delivery/refusals.ts'
import { tokenBuckets } from '../../src/gateway/auth/limits.ts'
import { type InboundGate, openInbound, type Verdict } from '../../src/gateway/sockets/inbound.ts'
import { type Lane, openLane } from '../../src/gateway/sockets/lane.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { type FakeConnection, fakeConnection } from '../support/connection.ts'

const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const done = (about: string | null): Outcome => ({
  about,
  answer: { kind: 'done', id: '00000001-0', seq: 3, position: 40n, events: [] },
})
const taken = {
  'thing-taken': [409, 'this is {name:staffId}’s since {when}'],
  'thing-gone': [404, 'the thing is gone', 'exact'],
} as const satisfies Refusals

/** What each call does, by its first argument. */
const calls: Readonly<Record<string, InboundCall>> = {
  done: async () => done('t'),
  nothing: async () => ({ about: null, answer: { kind: 'done', id: null, seq: -1, position: null, events: [] } }),
  taken: async () => ({ about: 't', answer: refuse('thing-taken', { staffId: 'ann', when: 'noon' }) }),
  strange: async () => ({ about: 't', answer: refuse('thing-strange') }),
  gone: async () => ({ about: null, answer: refuse('thing-gone') }),
  broken: () => Promise.reject(new Error('a bug')),
  away: () => Promise.reject(new LogUnavailable('away')),
}
const things: Inbound = {
  rows: {
    do_thing: ([how]) => calls[String(how)] ?? refuse('bad-request', { why: `data: ${how} is no way` }),
    throw_thing() {
      throw new Error('a bug')
    },
  },
  anonymous: ['throw_thing'],
  about: 'thing',
}
const told: Inbound = {
  rows: { do_other: ([how]) => calls[String(how)] ?? refuse('bad-request', { why: 'no' }) },
  about: 'other',
  aboutIn: ([, named]) => (typeof named === 'string' ? named : null),
  onRefused: (from, refused) => from.emit('refused', refused),
}

let observed: string[]
let client: FakeConnection
let lane: Lane
let gate: InboundGate
let verdicts: string[]
const verdict: Verdict = { refused: () => void verdicts.push('refused'), done: () => void verdicts.push('done') }

function open(contracts: readonly Inbound[], perSecond = 1_000): InboundGate {
  const limit = () => tokenBuckets({ perSecond, burst: 2 * perSecond })
  return openInbound({
    contracts: [...contracts.map((inbound) => ({ refusals: taken, inbound })), { refusals: {} }],
    profiles: {
      fetch: async ({ id }) => ({
        role: 'agent',
        profile: { full_name: `${id} of acme` },
        issuedAt: 0,
        disabled: false,
        createdAt: 0,
        updatedAt: null,
        movedAt: '',
        seq: 0,
        org: 'acme',
        id,
      }),
    },
    perPerson: limit(),
    perAddress: limit(),
    now: Date.now,
    observe: {
      command: (name, party, outcome) => void observed.push(`${party.id} ${name} ${outcome}`),
      unknownEvent: (name) => void observed.push(`unknown ${name}`),
      failed: (error, name) => void observed.push(`failed ${name}: ${(error as Error).message}`),
    },
  })
}

beforeEach(() => {
  observed = []
  verdicts = []
  client = fakeConnection(vera)
  lane = openLane()
  gate = open([things, told])
})

const ask = (name: string, ...args: unknown[]): Promise<unknown[]> =>
  new Promise((resolve) => gate.onFrame(name, [...args, (...ack: unknown[]) => resolve(ack)], client, lane, verdict))

test('[ACK-2] with protocol 2 an ack says in the contract’s word what it is about, and where that stands', async () => {
  expect(await ask('do_thing', 'done')).toEqual([
    true,
    null,
    { thing: 't', id: '00000001-0', seq: 3, pos: posOf({ id: '00000001-0', position: 40n }) },
  ])
  expect(await ask('do_thing', 'nothing')).toEqual([true, null, { thing: null, id: null, seq: null, pos: null }])
  expect(await ask('do_other', 'nothing', 'o')).toEqual([true, null, { other: 'o', id: null, seq: null, pos: null }])
  expect(await ask('do_thing', 'taken')).toMatchObject([false, expect.any(String), { thing: 't', code: 'thing-taken' }])
})

test(
  '[ACK-1] without it an ack has two values: a refusal has the code and the contract’s sentence, or ' + 'that alone',
  async () => {
    client = fakeConnection(vera, { protocol: 1 })
    expect(await ask('do_thing', 'done')).toEqual([true, null])
    expect(await ask('do_thing', 'taken')).toEqual([false, 'thing-taken: this is ann of acme’s since noon'])
    expect(await ask('do_thing', 'gone')).toEqual([false, 'the thing is gone'])
    expect(await ask('do_thing', 'up')).toEqual([false, 'bad-request: data: up is no way'])
  },
)

test('[GUARD-1] what breaks is answered, and reported; a log that is away is nobody’s fault', async () => {
  expect((await ask('do_thing', 'broken'))[2]).toEqual({ thing: null, code: 'internal' })
  expect((await ask('throw_thing'))[2]).toEqual({ thing: null, code: 'internal' })
  expect((await ask('do_thing', 'away'))[2]).toEqual({ thing: null, code: 'unavailable' })
  expect(await ask('do_thing', 'strange'), 'a code without a sentence').toMatchObject([false, 'thing-strange', {}])
  gate.onFrame('do_thing', ['done', () => expect.fail('an ack that throws')], client, lane, verdict)
  await gate.drain()
  expect(observed.filter((line) => line.startsWith('failed'))).toEqual([
    'failed do_thing: a bug',
    'failed throw_thing: a bug',
    expect.stringMatching(/^failed do_thing: the refusal thing-strange/),
    'failed do_thing: an ack that throws',
  ])
})

test('[GUARD-2] with protocol 2 an unknown name is answered, with the nearest one that is known', async () => {
  expect(await ask('do_thin')).toEqual([
    false,
    'unknown-event: nobody listens to this; did you mean do_thing?',
    { code: 'unknown-event' },
  ])
  expect((await ask('something_else'))[1]).toContain('see /api/v1/asyncapi.json')
})

test('[GUARD-2] names that no contract has are counted; two contracts that listen to one name do not start', () => {
  client = fakeConnection(vera, { protocol: 1 })
  for (const name of ['toString', '__proto__', 7, undefined])
    gate.onFrame(name, [() => expect.fail('an ack')], client, lane, verdict)
  expect(observed).toEqual(['unknown toString', 'unknown __proto__', 'unknown 7', 'unknown undefined'])
  expect(() => open([things, told, things])).toThrow(/two contracts listen to the event do_thing/)
})

test('[PRES-6] [PRES-3] without a token only what a contract allows, and as a hub nothing', async () => {
  client = fakeConnection(vera, { kind: 'anonymous' })
  expect((await ask('do_thing', 'done'))[1]).toMatch(/^token-needed: /)
  expect((await ask('throw_thing'))[1]).toMatch(/^internal: /)
  client = fakeConnection(vera, { kind: 'hub' })
  expect((await ask('throw_thing'))[1]).toMatch(/^hub-looks-on: /)
})

test('[WATCH-4] a contract that wants it is told of its refusals, without an ack, too', async () => {
  gate.onFrame('do_other', ['up', 'o'], client, lane, verdict)
  gate.onFrame('do_other', ['taken', 'o'], client, lane, verdict)
  gate.onFrame('do_other', ['done', 'o'], client, lane, verdict)
  await gate.drain()
  const event = 'do_other'
  expect(client.heard.map(({ data }) => data)).toEqual([
    { event, code: 'bad-request', message: 'bad-request: no', about: 'o' },
    { event, code: 'thing-taken', message: 'thing-taken: this is ann of acme’s since noon', about: 't' },
  ])
})

test(
  '[ORDER-3] what waits behind a call that does not enter is answered in its time; what is too much ' + 'at once',
  async () => {
    const first = Promise.withResolvers<Outcome>()
    gate = open([{ rows: { wait: () => () => first.promise }, about: 'x' }, things])
    const waiting = ask('wait')
    const asked = Array.from({ length: 300 }, () => ask('do_thing', 'done'))
    expect((await asked[299])?.[2]).toEqual({ thing: null, code: 'overloaded' })
    expect((await ask('do_thing', 'up'))[2], 'a wrong shape has nobody to wait for').toEqual({
      thing: null,
      code: 'bad-request',
    })
    first.resolve(done('x'))
    const answers = await Promise.all([waiting, ...asked])
    expect(answers.filter(([ok]) => ok)).toHaveLength(257)
  },
)

test(
  '[STOP-1] a node that stops answers what is in hand, also what waits in a lane, and refuses what ' + 'comes',
  async () => {
    const first = Promise.withResolvers<Outcome>()
    gate = open([{ rows: { wait: () => () => first.promise }, about: 'x' }, things])
    const asked = [ask('wait'), ask('do_thing', 'done')]
    let drained = false
    const draining = gate.drain().then(() => (drained = true))
    expect((await ask('do_thing', 'done'))[1]).toMatch(/^draining: /)
    expect(drained).toBe(false)
    first.resolve(done('x'))
    expect((await Promise.all(asked)).map(([ok]) => ok)).toEqual([true, true])
    await draining
  },
)

test('[LIMIT-5] who asks too much is told how long to wait', async () => {
  gate = open([things], 1)
  const [ok, too] = [await ask('do_thing', 'done'), await ask('do_thing', 'done'), await ask('do_thing', 'done')].slice(
    1,
  )
  expect(ok?.[0]).toBe(true)
  expect(too?.[1]).toBe('rate-limited: too many requests; try again in 1 s')
})

test('[FLOOD-4] a call above the limit gets its ack and nothing else', async () => {
  gate = open([told], 1)
  const acks = [await ask('do_other', 'taken'), await ask('do_other', 'taken'), await ask('do_other', 'taken')]
  expect(acks.map(([, error]) => String(error).replace(/:.*/, ''))).toEqual([
    'thing-taken',
    'thing-taken',
    'rate-limited',
  ])
  expect(client.heard.map(({ name }) => name)).toEqual(['refused', 'refused'])
  gate.onFrame('do_other', ['taken'], client, lane, verdict)
  await gate.drain()
  expect(client.heard.at(-1)?.data).toMatchObject({ code: 'rate-limited' })
})

test('[FLOOD-2] whoever watches a connection is told what came of its calls, but not of our own faults', async () => {
  await ask('do_thing', 'done')
  await ask('do_thing', 'taken')
  await ask('do_thing', 'broken')
  await ask('do_thing', 'away')
  gate.onFrame('nonsense', [], client, lane, verdict)
  expect(verdicts).toEqual(['done', 'refused', 'refused'])
})
