// What a real server does to streams that somebody cuts, deletes, or writes to without quorum: the stand-in has to do
// it, too, or what is tested against it means nothing. Through the client as it comes; cases 39-44 of the suite.
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EventStoreStandin, StandinOptions } from '../support/eventstore-standin.ts'
import { linkInto } from '../support/eventstore-standin-others.ts'
import { aServer, upTo } from '../support/eventstore-standin-world.ts'
import { PATIENCE_MS } from '../support/patience.ts'

const STREAM = 'chat-1'

async function world(options?: StandinOptions) {
  const server = await aServer(options)
  const client = EventStoreDBClient.connectionString(server.url)
  onTestFinished(() => client.dispose())
  const write = (expectedRevision: 'any' | 'no_stream' | 'stream_exists' | bigint, ...ids: readonly string[]) => {
    const events = ids.map((id) => jsonEvent({ id, type: 'Noted', data: {} }))
    return client.appendToStream(STREAM, events, { expectedRevision, deadline: PATIENCE_MS })
  }
  const shown = async (): Promise<number[] | string> => {
    try {
      const found: number[] = []
      for await (const { event } of client.readStream(STREAM)) found.push(Number(event?.revision))
      return found
    } catch (error) {
      return (error as { readonly type: string }).type
    }
  }
  return { server, client, write, shown }
}

const ids = (count: number): string[] => upTo(count).map(() => randomUUID())
const inAll = (server: EventStoreStandin): number[] =>
  server.store.all.filter(({ stream }) => stream === STREAM).map(({ revision }) => revision)
const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (answer) => Number((answer as { readonly nextExpectedRevision: bigint }).nextExpectedRevision),
    (error: { readonly type: string }) => error.type,
  )

describe('[case 39] [case 40] [case 44] a stream of ten whose metadata hides events', () => {
  it.each([
    ['truncateBefore', { truncateBefore: 5 }, 0, [5, 6, 7, 8, 9], [5, 6, 7, 8, 9]],
    ['maxCount', { maxCount: 3 }, 0, [7, 8, 9], [7, 8, 9]],
    ['maxAge that has passed', { maxAge: 60 }, 61_000, [], [9]],
    ['maxAge that has not', { maxAge: 60 }, 59_000, upTo(10), upTo(10)],
  ])('%s', async (_, metadata, laterMs, visible, afterScavenge) => {
    let now = 1_000_000
    const { server, client, write, shown } = await world({ behaviour: { clock: () => now } })
    await write('no_stream', ...ids(10))
    await client.setStreamMetadata(STREAM, metadata)
    now += laterMs
    expect(await shown()).toEqual(visible)
    expect(inAll(server)).toEqual(upTo(10))
    const positions = new Map(server.store.all.map(({ id, position }) => [id, position]))
    server.store.scavenge(now)
    expect(inAll(server)).toEqual(afterScavenge)
    for (const { id, position } of server.store.all) expect(position).toBe(positions.get(id))
    expect(await outcome(write(9n, ...ids(1)))).toBe(10)
  })
})

describe('[case 41] a stream that was deleted', () => {
  it.each([
    ['any', 3],
    ['no_stream', 3],
    [2n, 3],
    [1n, 'wrong-expected-version'],
    ['stream_exists', 'stream-deleted'],
  ] as const)('takes an append that expects %s as said: %s', async (expected, said) => {
    const { server, client, write, shown } = await world()
    await write('no_stream', ...ids(3))
    await client.deleteStream(STREAM)
    expect(await shown()).toBe('stream-not-found')
    expect(await outcome(write(expected, ...ids(1)))).toBe(said)
    expect(await shown()).toEqual(said === 3 ? [3] : 'stream-not-found')
    server.store.scavenge(0)
    expect(inAll(server)).toEqual(said === 3 ? [3] : [2])
  })
})

it('[case 42] a tombstone is for ever', async () => {
  const { server, client, write, shown } = await world()
  await write('no_stream', ...ids(3))
  await client.tombstoneStream(STREAM)
  for (const expected of ['any', 'no_stream', 2n] as const)
    expect(await outcome(write(expected, ...ids(1)))).toBe('stream-deleted')
  expect(await shown()).toBe('stream-deleted')
  server.store.scavenge(0)
  expect(server.store.all.map(({ type }) => type)).toEqual(['$streamDeleted'])
})

it.each([
  ['of what never was', 0, undefined],
  ['with a wrong revision', 2, 0n],
])('[case 43] a deletion %s is a conflict', async (_, count, expectedRevision) => {
  const { client, write } = await world()
  if (count > 0) await write('no_stream', ...ids(count))
  const options = expectedRevision === undefined ? {} : { expectedRevision }
  expect(await outcome(client.deleteStream(STREAM, options))).toBe('wrong-expected-version')
})

it('a link is an event of the stream that it stands in', async () => {
  const { server, client, write } = await world()
  await write('no_stream', ...ids(2))
  linkInto(server, 'archive-chat-1', STREAM)
  const found: unknown[] = []
  for await (const { event } of client.readStream('archive-chat-1')) found.push([event?.type, event?.revision])
  expect(found).toEqual([
    ['$>', 0n],
    ['$>', 1n],
  ])
})

it.each([
  ['everything', 1_048_556, 0],
  ['everything', 1_048_557, 'maximum-append-size-exceeded'],
  ['data', 1_048_576, 0],
  ['data', 1_048_577, 'maximum-append-size-exceeded'],
] as const)('of a type of ten characters, counting %s, %d bytes are told: %s', async (counts, sizeBytes, said) => {
  const { client } = await world({ behaviour: { counts } })
  const data = { text: 'x'.repeat(sizeBytes - '{"text":""}'.length) }
  const event = jsonEvent({ type: 'TenLetters', data })
  expect(await outcome(client.appendToStream(STREAM, event, { deadline: PATIENCE_MS }))).toBe(said)
})

describe('without quorum a write', () => {
  const lone = async () => {
    const its = await world()
    const [first = '', second = '', third = ''] = ids(3)
    await its.write('no_stream', first)
    its.server.store.loseQuorum()
    expect(await outcome(its.write(0n, second))).toBe('deadline-exceeded')
    expect(await its.shown()).toEqual([0])
    expect(inAll(its.server)).toEqual([0])
    const other = its.write(0n, third)
    await expect(other).rejects.toMatchObject({ type: 'wrong-expected-version', actualVersion: 1n })
    return { ...its, second, third }
  }

  it('that is lost leaves room for another', async () => {
    const { server, write, shown, third } = await lone()
    server.store.regainQuorum('lost')
    expect(await shown()).toEqual([0])
    expect(await outcome(write(0n, third))).toBe(1)
  })

  it('that survives appears, and is answered yes when it comes again', async () => {
    const { server, write, shown, second, third } = await lone()
    server.store.regainQuorum('survived')
    expect(await shown()).toEqual([0, 1])
    expect(await outcome(write(0n, second))).toBe(1)
    expect(await outcome(write(0n, third))).toBe('wrong-expected-version')
    expect(await shown()).toEqual([0, 1])
  })

  it('that is lost and comes again is written at once', async () => {
    const { server, write, shown, second } = await lone()
    server.store.regainQuorum('lost')
    expect(await outcome(write(0n, second))).toBe(1)
    expect(await shown()).toEqual([0, 1])
  })
})
