import { EventStoreDBClient, eventTypeFilter } from '@eventstore/db-client'
import { expect, it, onTestFinished } from 'vitest'
import { AnotherPast, NoSuchPosition } from '../../src/log/log.ts'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import { aLog, aServer, followed, gathered, noted, numberOf, until, upTo } from '../support/eventstore-standin-world.ts'

/** The client as it comes, for what the stand-in itself does. */
function bare(server: EventStoreStandin): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(server.url)
  onTestFinished(() => client.dispose())
  return client
}
const at = (commit: bigint) => ({ commit, prepare: commit })

/** What a subscription after this place tells, in order; an error ends it. */
function told(server: EventStoreStandin, place: { commit: bigint; prepare: bigint }): string[] {
  const heard: string[] = []
  bare(server)
    .subscribeToAll({ fromPosition: place })
    .on('data', ({ event }) => heard.push(event?.type ?? ''))
    .on('confirmation', () => heard.push('confirmation'))
    .on('caughtUp', () => heard.push('caughtUp'))
    .on('error', (error: Error) => heard.push(error.message))
  return heard
}

const positionsOf = ({ store }: EventStoreStandin): bigint[] => store.all.map(({ position }) => position)

it('the stand-in has positions far apart, and none at the beginning', async () => {
  const server = await aServer()
  server.put('notes-1', ...upTo(5).map((n) => ({ type: 'Noted', data: Buffer.from(`{"n":${n}}`) })))
  const positions = positionsOf(server)
  expect(positions[0]).toBeGreaterThan(1_000n)
  for (const [n, position] of positions.slice(1).entries())
    expect(position - (positions[n] ?? 0n)).toBeGreaterThan(100n)
})

it.each([
  ['as 24.6', 'InvalidPosition', 'Trying to read from an invalid position.'],
  ['as 22.10', 'Error', 'Exception was thrown by handler.'],
] as const)('the stand-in takes no position that is no record (%s)', async (invalidPosition, says, subscription) => {
  const server = await aServer({ behaviour: { invalidPosition } })
  server.put('notes-1', {}, {})
  const [first = 0n] = positionsOf(server)
  const reading = async () => {
    for await (const _ of bare(server).readAll({ fromPosition: at(first + 1n) }));
  }
  await expect(reading()).rejects.toThrow(`Unexpected ReadAllResult: ${says}`)
  const heard = told(server, at(first + 1n))
  await until(() => heard.length === 2)
  expect(heard).toEqual(['confirmation', expect.stringContaining(subscription)])
  const log = await aLog(server)
  await expect(gathered(log.readAll({ from: first + 1n }))).rejects.toThrow(NoSuchPosition)
})

it('the stand-in is silent beyond its end until it has grown past it', async () => {
  const server = await aServer()
  server.put('notes-1', {})
  const beyond = server.store.end() + 1_000n
  const read: unknown[] = []
  for await (const one of bare(server).readAll({ fromPosition: at(beyond) })) read.push(one)
  expect(read).toEqual([])
  const heard = told(server, at(beyond))
  await until(() => heard.length === 2)
  while (server.store.end() <= beyond) server.put('notes-1', { type: 'Unheard' })
  server.put('notes-1', { type: 'Heard' })
  await until(() => heard.includes('Heard'))
  expect(heard).toEqual(['confirmation', 'caughtUp', 'Heard'])
})

it.each(['seen', 'next'] as const)('a checkpoint stays good to subscribe from (%s)', async (checkpoints) => {
  const server = await aServer({ behaviour: { checkpoints } })
  const places: { commit: bigint; prepare: bigint }[] = []
  const filter = eventTypeFilter({
    ...{ prefixes: ['Nobody'], checkpointInterval: 1, maxSearchWindow: 4 },
    checkpointReached: (_, place) => void places.push(place),
  })
  bare(server)
    .subscribeToAll({ fromPosition: 'start', filter })
    .on('error', () => {})
  server.put('notes-1', ...upTo(12).map(() => ({})))
  await until(() => places.length === 3)
  server.put('notes-1', { type: 'Later' })
  for (const place of places) {
    const heard = told(server, place)
    await until(() => heard.includes('Later'))
  }
})

it.each([true, false])(
  '[PAST-6] a following over a restored log ends, whether it grew since or not (%s)',
  async (grew) => {
    const server = await aServer()
    const log = await aLog(server)
    const following = followed(log)
    for (const n of upTo(3)) await log.append('notes-1', n - 1, [noted(n)])
    const backup = server.store.backup()
    for (const n of [3, 4]) await log.append('notes-1', n - 1, [noted(n)])
    await until(() => following.numbers.length === 5)
    await server.restore(backup)
    const other = await aLog(server)
    if (grew) for (const n of [5, 6, 7, 8]) await other.append('notes-1', n - 3, [noted(n)])
    await until(() => following.errors.length === 1)
    expect(following.errors[0]).toBeInstanceOf(AnotherPast)
    expect(following.numbers).toEqual(upTo(5))
    expect((await gathered(log.readAll())).map(numberOf)).toEqual(grew ? [0, 1, 2, 5, 6, 7, 8] : [0, 1, 2])
  },
)

it('[PAST-6] a following whose last event a restored log still holds goes on, also after checkpoints', async () => {
  const server = await aServer()
  const log = await aLog(server)
  const following = followed(log)
  await log.append('notes-1', -1, [noted(0)])
  await until(() => following.numbers.length === 1)
  const backup = server.store.backup()
  server.put('$stats', ...upTo(700).map(() => ({ type: '$statsCollected' })))
  await until(() => (server.calls.checkpoint ?? 0) >= 2)
  await server.restore(backup)
  // Long before the place of the checkpoint.
  await log.append('notes-1', 0, [noted(1)])
  await until(() => following.numbers.length === 2 || following.errors.length === 1)
  // The record before a checkpoint was read, or not yet: then the log is another one, or goes on.
  expect(following.errors.every((error) => error instanceof AnotherPast)).toBe(true)
})
