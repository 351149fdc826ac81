import { expect, it, onTestFinished } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { LogUnavailable, type Proposed } from '../../src/log/log.ts'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { standinStore } from '../support/eventstore-standin-store.ts'
import { aLog, aServer, followed, gathered, noted, numberOf, until, upTo } from '../support/eventstore-standin-world.ts'
import { slowly } from '../support/slowness.ts'

/** As the time of an event is stored: `"at":1700000000000,`. */
const TIME_BYTES = 19

it('a server that is killed with an append in flight and comes back holds exactly one copy', async () => {
  for (const fate of ['lose', 'keep-silent'] as const) {
    let fates = 0
    const server = await aServer({ behaviour: { onAppend: () => (fates++ === 0 ? fate : 'answer') } })
    const log = await aLog(server)
    const appending = log.append('notes-1', -1, [noted(0), noted(1)])
    await until(() => fates === 1)
    server.kill()
    await server.restart()
    const appended = await appending
    expect(appended.revision).toBe(1)
    expect(appended.position).toBe(server.store.all.at(-1)?.position)
    expect((await gathered(log.read('notes-1'))).map(numberOf)).toEqual([0, 1])
  }
})

it('a frozen server is given up within the bound, and used again when it thaws', async () => {
  const server = await aServer()
  const log = await aLog(server, { patience: { attemptMs: slowly(200), totalMs: slowly(600) } })
  await log.append('notes-1', -1, [noted(0)])
  server.freeze()
  const event = noted(1)
  const began = performance.now()
  const [append, read] = await Promise.allSettled([log.append('notes-1', 0, [event]), gathered(log.read('notes-1'))])
  // 600 ms and the grace of one attempt, on two busy cores.
  expect(performance.now() - began).toBeLessThan(slowly(3_000))
  expect(append).toMatchObject({ reason: expect.any(LogUnavailable) })
  expect(read).toMatchObject({ reason: expect.any(LogUnavailable) })
  server.thaw()
  expect((await log.append('notes-1', 0, [event])).revision).toBe(1)
  expect((await gathered(log.read('notes-1'))).map(numberOf)).toEqual([0, 1])
})

it(
  'a server process that is stopped as a whole is given up within the bound, and used again when it ' + 'goes on',
  async () => {
    const server = await spawnEventStore()
    onTestFinished(server.stop)
    const log = await aLog(server.url, { patience: { attemptMs: slowly(200), totalMs: slowly(600) } })
    await log.append('notes-1', -1, [noted(0)])
    const following = followed(log)
    await until(() => following.numbers.length === 1)
    server.pause()
    const event = noted(1)
    await expect(log.append('notes-1', 0, [event])).rejects.toBeInstanceOf(LogUnavailable)
    server.resume()
    expect((await log.append('notes-1', 0, [event])).revision).toBe(1)
    await until(() => following.numbers.length === 2)
  },
)

it('an append to a node that is no leader goes to the leader it names', async () => {
  const store = standinStore()
  const leader = await aServer({ store })
  const follower = await aServer({ store, behaviour: { leader: { host: '127.0.0.1', port: leader.port } } })
  const log = await aLog(follower)
  expect((await log.append('notes-1', -1, [noted(0)])).revision).toBe(0)
  expect(leader.calls.append).toBe(1)
})

it('closing the log ends an append that waits for its answer', async () => {
  const server = await aServer({ behaviour: { onAppend: () => 'lose' } })
  const log = await aLog(server, { patience: { attemptMs: 60_000, totalMs: 60_000 } })
  const refused = expect(log.append('notes-1', -1, [noted(0)])).rejects.toBeInstanceOf(LogUnavailable)
  await until(() => server.calls.append === 1)
  await log.close()
  await refused
})

it('a stream that somebody tombstoned is told as that, not as a server that is away', async () => {
  const server = await aServer()
  const log = await aLog(server)
  await log.append('notes-1', -1, [noted(0)])
  server.store.tombstone('notes-1')
  await expect(log.append('notes-1', 0, [noted(1)])).rejects.toThrow(/tombstoned by somebody else/)
})

it('a server too old to tell positions is named as such', async () => {
  const log = await aLog(await aServer({ behaviour: { streamPositions: false } }))
  await log.append('notes-1', -1, [noted(0)])
  await expect(gathered(log.read('notes-1'))).rejects.toThrow(/use 22.6 or newer/)
})

it('[SIZE-1] a smaller limit of the server is told with both numbers that it compared', async () => {
  const log = await aLog(await aServer({ behaviour: { maxAppendBytes: 200 } }))
  const ten = upTo(10).map(noted)
  const sizeBytes = ten
    .map((one) => codec({}).encode(one))
    .reduce((sum, { type, data, meta }) => sum + data.length + meta.length + TIME_BYTES + 2 * type.length, 0)
  await expect(log.append('notes-1', -1, ten)).rejects.toMatchObject({
    name: 'AppendTooLarge',
    limitBytes: 200,
    message: expect.stringMatching(new RegExp(`at most 200 bytes .* got ${sizeBytes}: split it`)),
  })
})

it('the new name of the connection string works', async () => {
  const server = await aServer()
  const log = await aLog(server.url.replace('esdb:', 'kurrentdb:'))
  expect((await log.append('notes-1', -1, [noted(0)])).revision).toBe(0)
})

it('[ESDB-3] what is under way is bounded, and nothing that waits is lost', async () => {
  const server = await aServer()
  const log = await aLog(server, { patience: { attemptMs: 60_000, totalMs: 60_000 } })
  await log.append('notes-0', -1, [noted(0)])
  server.freeze()
  const large = (n: number): Proposed => ({
    ...noted(n),
    event: { type: 'Noted', n, text: 'x'.repeat(1_000_000) } as never,
  })
  const appends = upTo(20).map((n) => log.append(`notes-${n + 1}`, -1, [large(n)]))
  await until(() => server.calls.append === 1 + 9) // the ninth goes out while the eight before it are less than 8 MiB
  server.thaw()
  await Promise.all(appends)
  expect(server.store.all).toHaveLength(21)
})

it('[ESDB-4] a conflict with an event that nobody can read is asked again until it is settled', async () => {
  const server = await aServer()
  const log = await aLog(server)
  await log.append('notes-1', -1, [noted(0)])
  for (const fate of ['lost', 'survived'] as const) {
    const before = (await gathered(log.read('notes-1'))).length - 1
    server.store.loseQuorum()
    // Somebody else's, through the same leader: it has it alone, and tells nobody whether it stays.
    server.put('notes-1', { id: noted(7).id })
    const asked = server.calls.append ?? 0
    const appending = log.append('notes-1', before, [noted(1)]).then(
      ({ revision }) => revision,
      (error: Error) => error.name,
    )
    await until(() => (server.calls.append ?? 0) > asked + 1)
    server.store.regainQuorum(fate)
    expect(await appending).toBe(fate === 'lost' ? before + 1 : 'WrongRevision')
  }
})

it('[ESDB-4] an append that a leader without its cluster does not acknowledge is made again until it is', async () => {
  const server = await aServer()
  const log = await aLog(server)
  for (const fate of ['lost', 'survived'] as const) {
    const before = (await gathered(log.read('notes-1'))).length - 1
    server.store.loseQuorum()
    const asked = server.calls.append ?? 0
    const appending = log.append('notes-1', before, [noted(before + 1)])
    await until(() => (server.calls.append ?? 0) > asked + 1)
    server.store.regainQuorum(fate)
    expect((await appending).revision).toBe(before + 1)
  }
  expect((await gathered(log.read('notes-1'))).map(numberOf)).toEqual([0, 1])
})
