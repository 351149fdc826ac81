import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { InvalidAppend, LogUnavailable } from '../../src/log/log.ts'
import { standinStore } from '../support/eventstore-standin-store.ts'
import {
  aLog,
  aServer,
  followed,
  gathered,
  noted,
  resumedAfter,
  until,
  upTo,
} from '../support/eventstore-standin-world.ts'
import { slowly } from '../support/slowness.ts'

// Each test shows that one defect of @eventstore/db-client 6.2.1 (numbered as in our notes) cannot hurt us. Vitest
// fails on any unhandled rejection, so that "the process survives" is part of every test here.

const twoServers = (...args: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [
    fileURLToPath(import.meta.resolve('../support/eventstore-standin-two.ts')),
    ...args,
  ])

it('[B1] the death of another server neither rejects our appends nor ends the process', async () => {
  const { stdout } = await twoServers()
  expect(JSON.parse(stdout)).toEqual({ succeeded: 20 })
})

it('[B1] without our remedy the same ends the process, so that the test above means something', async () => {
  await expect(twoServers('bare')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('undefined is not iterable'),
  })
})

it('[B2] a cluster that is down at the first append is found when it comes up', async () => {
  const store = standinStore()
  const ports: number[] = []
  const cluster = [await aServer({ store, members: () => ports }), await aServer({ store, members: () => ports })]
  for (const { port, kill } of cluster) {
    ports.push(port)
    kill()
  }
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
  const url = `esdb://${hosts}?tls=false&maxDiscoverAttempts=2&discoveryInterval=10`
  const log = await aLog(url, { patience: { attemptMs: slowly(300), totalMs: slowly(600) } })
  const following = followed(log)
  const event = noted(0)
  await expect(log.append('notes-1', -1, [event])).rejects.toBeInstanceOf(LogUnavailable)
  for (const { restart } of cluster) await restart()
  expect((await log.append('notes-1', -1, [event])).revision).toBe(0)
  await until(() => following.numbers.length === 1)
})

it('[B2] appends and followings in flight survive that a whole cluster dies and comes back', async () => {
  const store = standinStore()
  const ports: number[] = []
  const cluster = [await aServer({ store, members: () => ports }), await aServer({ store, members: () => ports })]
  ports.push(...cluster.map(({ port }) => port))
  for (const { behaviour } of cluster) behaviour.appendDelayMs = 20
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
  const log = await aLog(`esdb://${hosts}?tls=false&maxDiscoverAttempts=2&discoveryInterval=10`)
  const followings = [followed(log), followed(log)]
  await until(() => followings.every(({ caughtUp }) => caughtUp() > 0))
  const appends = upTo(20).map((n) => log.append(`notes-${n}`, -1, [noted(n)]))
  await until(() => cluster.some(({ calls }) => (calls.append ?? 0) >= 20))
  for (const { kill } of cluster) kill()
  for (const { restart } of cluster) await restart()
  expect(await Promise.all(appends)).toHaveLength(20)
  await until(() => followings.every(({ numbers }) => numbers.length === 20))
  expect(store.all).toHaveLength(20)
})

it('[B3] a server whose clock is a minute ahead of ours, or behind, takes our appends', async () => {
  const server = await aServer()
  const log = await aLog(server)
  for (const [expected, skewMs] of [
    [-1, 60_000],
    [0, -60_000],
  ] as const) {
    // biome-ignore format: one row each
    const serverTime = Date.now() + skewMs
    server.behaviour.clock = () => serverTime
    await log.append('notes-1', expected, [noted(0)])
  }
})

it(
  '[B4] connection strings that hide conflicts or frozen servers are refused, and passwords are not ' + 'repeated',
  async () => {
    const open = (url: string) => openEventStoreLog({ url, codec: codec({}) })
    await expect(open('esdb://localhost:2113?tls=false&throwOnAppendFailure=false')).rejects.toThrow(
      /must not set throwOnAppendFailure=false/,
    )
    await expect(open('esdb://localhost:2113?keep-alive-interval=-1')).rejects.toThrow(/must not turn keep-alive off/)
    const wrong = await open('esdb://ada:s3cret@localhost:not-a-port').catch((error: Error) => error)
    expect(String(wrong)).toMatch(/EVENTSTORE_URL must look like esdb:/)
    expect(String(wrong)).not.toContain('s3cret')
    await expect(open('redis://localhost')).rejects.toThrow(/EVENTSTORE_URL must look like esdb:/)
  },
)

it('[B5] a long run without events of ours moves the place from which a following resumes', async () => {
  const server = await aServer()
  const log = await aLog(server)
  await log.append('notes-1', -1, [noted(0)])
  const following = followed(log)
  await until(() => following.numbers.length === 1)
  server.put('$stats', ...upTo(1000).map(() => ({ type: '$statsCollected' })))
  await until(() => server.calls.checkpoint === 3)
  // Three times 320 events were looked at. The place of a checkpoint has no id: the record before it proves as much.
  await resumedAfter(server, server.store.all[958]?.position)
  await log.append('notes-1', 0, [noted(1)])
  await until(() => following.numbers.length === 2)
  expect(following.numbers).toEqual([0, 1])
})

it('[B6] data that is no JSON is rejected here, and the log goes on working', async () => {
  const server = await aServer()
  const good = codec({})
  let spoilt = true
  // The codec's types forbid it; a codec with a bug would do it all the same.
  const log = await aLog(server, {
    codec: { ...good, encode: (one) => ({ ...good.encode(one), ...(spoilt ? { data: undefined as never } : {}) }) },
  })
  await expect(log.append('notes-1', -1, [noted(0)])).rejects.toThrow()
  spoilt = false
  expect((await log.append('notes-1', -1, [noted(0)])).revision).toBe(0)
})

it('[B8] every append has a deadline of its own, also the first', async () => {
  const server = await aServer({ behaviour: { onAppend: () => 'lose' } })
  const hasty = await aLog(server, { patience: { attemptMs: slowly(50), totalMs: slowly(200) } })
  const note = noted(0) // the same both times: a call that the server was late to read may still be written
  await expect(hasty.append('notes-1', -1, [note])).rejects.toBeInstanceOf(LogUnavailable)
  expect(server.calls.append).toBeGreaterThan(1)
  server.behaviour.onAppend = () => 'answer'
  expect((await hasty.append('notes-1', -1, [note])).revision).toBe(0)
})

it('[B9] an id that is no UUID is refused before anything is sent', async () => {
  const server = await aServer()
  const log = await aLog(server)
  await expect(log.append('notes-1', -1, [{ ...noted(0), id: 'n1' }])).rejects.toBeInstanceOf(InvalidAppend)
  expect(server.calls).toEqual({})
})

it('[B1 B2 B8] all appends share one call of ours, and the capability call is never made', async () => {
  const server = await aServer()
  const log = await aLog(server)
  await Promise.all(upTo(50).map((n) => log.append(`notes-${n}`, -1, [noted(n)])))
  expect(await gathered(log.readAll())).toHaveLength(50)
  expect(server.calls).toEqual({ append: 50, batchCall: 1, read: expect.any(Number) })
})

it(
  '[beyond our notes] a connection that dies while the next one is being discovered does not end the ' + 'process',
  async () => {
    // The client awaits that discovery in a promise of which nobody hears: when it fails, an unhandled rejection.
    const ports: number[] = []
    const server = await aServer({ members: () => ports })
    ports.push(server.port)
    const log = await aLog(
      `esdb://127.0.0.1:${server.port},127.0.0.1:${server.port}?tls=false&maxDiscoverAttempts=4&discoveryInterval=50`,
    )
    const following = followed(log)
    await log.append('notes-1', -1, [noted(0)])
    await until(() => following.numbers.length === 1)
    ports.pop() // from now on gossip names no node
    const asked = server.calls.gossip ?? 0
    server.behaviour.onAppend = () => 'not-ready'
    const appending = log.append('notes-1', 0, [noted(1)])
    await until(() => (server.calls.gossip ?? 0) > asked)
    server.kill()
    await server.restart()
    server.behaviour.onAppend = () => 'answer'
    const gossiped = server.calls.gossip ?? 0
    await until(() => (server.calls.gossip ?? 0) > gossiped + 8)
    ports.push(server.port)
    expect((await appending).revision).toBe(1)
    await until(() => following.numbers.length === 2)
  },
)

it('[ESDB-2] appends whose channel is closed under them by the failure of another one all succeed, once', async () => {
  let count = 0
  const server = await aServer({ behaviour: { onAppend: () => (++count % 20 === 0 ? 'not-ready' : 'answer') } })
  const log = await aLog(server)
  const writers = upTo(40).map(async (writer) => {
    for (const n of upTo(10)) await log.append(`notes-${writer}`, n - 1, [noted(n)])
  })
  await Promise.all(writers)
  expect(server.store.all).toHaveLength(400)
})
