import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { UnreadableEvent } from '../../src/log/log.ts'
import {
  aLog,
  aServer,
  followed,
  gathered,
  noted,
  numberOf,
  resumedAfter,
  until,
  upTo,
} from '../support/eventstore-standin-world.ts'

it('a following that breaks again and again loses nothing, repeats nothing and keeps the order', async () => {
  const server = await aServer()
  const log = await aLog(server)
  const following = followed(log)
  let breaks = 0
  for (const n of upTo(150)) {
    await log.append('notes-1', n - 1, [noted(n)])
    if (n % 30 !== 10) continue
    await until(() => following.numbers.length > n) // what was broken before goes on
    breaks += 1
    if (n % 60 === 10) server.dropSubscriptions()
    else {
      server.kill()
      await server.restart()
    }
  }
  await until(() => following.numbers.length >= 150)
  expect(following.numbers).toEqual(upTo(150))
  expect(server.calls.subscribe).toBeGreaterThan(breaks)
})

it('caughtUp is told again after a break', async () => {
  const server = await aServer()
  const log = await aLog(server)
  const following = followed(log)
  await until(() => following.caughtUp() === 1)
  server.dropSubscriptions()
  await until(() => following.caughtUp() === 2)
})

it('a slow follower holds the server up instead of filling our memory', async () => {
  const server = await aServer()
  const log = await aLog(server)
  const count = 20_000
  server.put('notes-1', ...stored(count))
  const sent = (): number => server.calls.sent ?? 0
  let ahead = 0
  const following = followed(log, {
    async each(batch) {
      if (ahead > 0) return
      // The server has come to a stand: in so many turns of the event loop, which is its own as well, it sent nothing
      // more.
      for (let before = -1, turns = 0; turns < 200; turns++) {
        if (sent() !== before) turns = 0
        before = sent()
        await nextTurn()
      }
      ahead = sent() - batch.length
    },
  })
  await until(() => following.numbers.length === count)
  expect(following.numbers).toEqual(upTo(count))
  // Twice our read-ahead of 512, what HTTP/2 lets through (64 KiB), and what the server's stream holds.
  expect(ahead).toBeGreaterThan(0)
  expect(ahead).toBeLessThan(4000)
})

it('a server that never says "caught up" is asked how far the past reaches', async () => {
  const server = await aServer({ behaviour: { saysCaughtUp: false } })
  const log = await aLog(server)
  const empty = followed(log)
  await until(() => empty.caughtUp() === 1)
  server.put('notes-1', ...stored(3))
  server.put('$stats', ...upTo(700).map(() => ({ type: '$statsCollected' })))
  const following = followed(log)
  await until(() => following.caughtUp() === 1)
  expect(following.numbers).toEqual([0, 1, 2])
  const end = followed(log, { after: 'end' })
  await until(() => end.caughtUp() === 1)
  expect(end.numbers).toEqual([])
})

it('checkpoints that name the next place lose no event and repeat none', async () => {
  const server = await aServer({ behaviour: { checkpoints: 'next' } })
  const log = await aLog(server)
  server.put('notes-1', ...stored(1))
  const following = followed(log)
  await until(() => following.numbers.length === 1)
  // With the one before they are exactly the events after which a checkpoint is due.
  server.put('$stats', ...upTo(319).map(() => ({ type: '$statsCollected' })))
  const last = server.store.all.at(-1)?.position
  await until(() => server.calls.checkpoint === 1)
  await resumedAfter(server, last)
  server.kill()
  server.put('notes-1', ...stored(2).slice(1))
  await server.restart()
  await until(() => following.numbers.length >= 2)
  server.dropSubscriptions()
  await log.append('notes-1', 1, [noted(2)])
  await until(() => following.numbers.length >= 3)
  expect(following.numbers).toEqual([0, 1, 2])
})

it('what this process appends after follow("end") has returned is always delivered', async () => {
  // The place where "from now on" begins is asked for before the append is sent, but answered long after.
  const log = await aLog(await aServer({ behaviour: { readDelayMs: 20 } }))
  for (const n of upTo(3)) {
    const following = followed(log, { after: 'end' })
    await log.append('notes-1', n - 1, [noted(n)])
    await until(() => following.numbers.length > 0)
    expect(following.numbers).toEqual([n])
    await following.stop()
  }
})

it('[DAMAGED-1] events of other programs and of the server itself never reach the codec', async () => {
  const server = await aServer()
  const real = codec({})
  const seen: string[] = []
  const log = await aLog(server, {
    ours: (stream) => stream.startsWith('notes-'),
    codec: {
      ...real,
      decode(type, data, meta) {
        seen.push(type)
        return real.decode(type, data, meta)
      },
    },
  })
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
  server.put('$settings', { type: 'NotOurs' })
  server.put(
    'orders-1',
    { type: 'Ordered' },
    { type: 'Binary', json: false },
    { type: 'WithMeta', meta: json({ $correlationId: 'c', by: 'x' }) },
  )
  server.put(
    'notes-1',
    { type: 'Strange', meta: Buffer.from([1, 2, 3]) },
    { type: '$metadata' },
    { type: 'NoCorrelation', meta: json({ by: 'x' }) },
  )
  server.put('notes-1', ...stored(2))
  server.put('orders-2', ...upTo(300).map(() => ({ type: 'Ordered' })))
  server.store.tombstone('orders-2')
  const following = followed(log)
  await until(() => following.caughtUp() === 1)
  expect(following.numbers).toEqual([0, 1])
  expect((await gathered(log.readAll())).map(numberOf)).toEqual([0, 1])
  expect((await gathered(log.readAll({ backwards: true, limit: 1 }))).map(numberOf)).toEqual([1])
  expect((await gathered(log.read('notes-1', { limit: 1, onDamage() {} }))).map(numberOf)).toEqual([0])
  expect(new Set(seen)).toEqual(new Set(['Noted']))
})

it('the whole log is read over many pages without a hole or a repeat, either way', async () => {
  const server = await aServer()
  const log = await aLog(server)
  for (const n of upTo(7)) {
    server.put(`notes-${n}`, ...stored(100))
    server.put('$stats', ...upTo(50).map(() => ({ type: '$statsCollected' })))
  }
  const all = upTo(7).flatMap(() => upTo(100))
  expect((await gathered(log.readAll())).map(numberOf)).toEqual(all)
  expect((await gathered(log.readAll({ backwards: true }))).map(numberOf)).toEqual(all.toReversed())
  expect((await gathered(log.readAll({ limit: 601 }))).map(numberOf)).toEqual(all.slice(0, 601))
})

it('[DAMAGED-6] an event that cannot be decoded keeps its place, and the following goes on', async () => {
  const server = await aServer()
  const real = codec({})
  const wrong = new Error('no upcast')
  const log = await aLog(server, {
    codec: {
      ...real,
      decode(type, data, meta) {
        if ((data as { n: number }).n === 3) throw wrong
        return real.decode(type, data, meta)
      },
    },
  })
  server.put('notes-1', ...stored(5))
  const revisions: number[] = []
  const unread: unknown[] = []
  const following = log.follow({
    after: 'start',
    each(batch) {
      for (const recorded of batch) {
        revisions.push(recorded.revision)
        if (recorded.revision === 3) unread.push(errorOf(() => recorded.event))
      }
    },
  })
  onTestFinished(() => following.stop())
  await until(() => revisions.length === 5)
  expect(revisions).toEqual([0, 1, 2, 3, 4])
  expect(unread).toEqual([new UnreadableEvent('event 3 of notes-1 cannot be read: no upcast')])
})

function errorOf(look: () => unknown): unknown {
  try {
    return look()
  } catch (error) {
    return error
  }
}

/** `count` events as our adapter writes them, numbered from 0, put in without it. */
function stored(count: number): { type: string; data: Uint8Array; meta: Uint8Array }[] {
  return upTo(count).map((n) => {
    const { type, data, meta } = codec({}).encode(noted(n))
    return { type, data: Buffer.from(data), meta: Buffer.from(meta) }
  })
}
