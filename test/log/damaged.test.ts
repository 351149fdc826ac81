import { describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { StreamDamaged } from '../../src/log/damaged.ts'
import type { Log, StreamOptions } from '../../src/log/log.ts'
import { readable } from '../../src/log/readable.ts'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import { copyInto, linkInto, setMetadata } from '../support/eventstore-standin-others.ts'
import { aLog, aServer, followed, gathered, noted, numberOf, until, upTo } from '../support/eventstore-standin-world.ts'

const STREAM = 'notes-1'

/** A log of notes with five events in one stream, and another program's hands on it. */
async function world() {
  const server = await aServer()
  const log = await aLog(server, { ours: (stream) => stream.startsWith('notes-') })
  await log.append(STREAM, -1, upTo(5).map(noted))
  return { server, log }
}

/** What a read comes to: the numbers of its events, and where the damage is. */
async function read(log: Log, options?: StreamOptions) {
  const numbers: number[] = []
  try {
    for await (const batch of log.read(STREAM, options)) numbers.push(...batch.map(numberOf))
    return { numbers }
  } catch (error) {
    if (!(error instanceof StreamDamaged)) throw error
    const { stream, revision, isGone, message } = error
    expect(stream).toBe(STREAM)
    return { numbers, revision, isGone, message }
  }
}

type Hand = (server: EventStoreStandin) => void

describe('[DAMAGED-2] a stream of five', () => {
  it.each<[string, Hand, object, readonly number[]]>([
    ['$maxCount', hides({ $maxCount: 2 }), { revision: 0, isGone: false, message: cause('$maxCount 2') }, []],
    ['$tb', hides({ $tb: 1 }), { revision: 0, isGone: false, message: cause('$tb 1') }, []],
    ['$maxAge', aged, { revision: 0, isGone: false, message: cause('$maxAge 60') }, []],
    ['a deletion', (server) => server.store.softDelete(STREAM, 0), { revision: 0, isGone: true }, []],
    ['a tombstone', (server) => server.store.tombstone(STREAM), { revision: 0, isGone: true }, []],
    ['a foreign event', foreign, { revision: 5, isGone: false, message: cause('Foreign') }, upTo(5)],
    ['a link', (server) => linkInto(server, STREAM, STREAM), { revision: 5, message: cause('$>') }, upTo(5)],
    [
      'an event that is no JSON',
      (server) => server.put(STREAM, { json: false }),
      { revision: 5, isGone: false, message: cause('another program') },
      upTo(5),
    ],
  ])('after %s', async (_, hand, damage, numbers) => {
    const { server, log } = await world()
    hand(server)
    const found = await read(log, { isCertain: true })
    expect(found).toMatchObject({ numbers, ...damage })
    expect(found.message?.length).toBeGreaterThan(100) // it says what to do
  })

  it('[DAMAGED-4] shows what is left to whoever takes a part', async () => {
    const { server, log } = await world()
    setMetadata(server, STREAM, { $maxCount: 4 })
    foreign(server)
    server.put(STREAM, ...encoded(5, 7))
    const { events, damage } = await readable(log, STREAM)
    expect(events.map(numberOf)).toEqual([4, 5, 6])
    expect(damage).toMatchObject({ revision: 0 })
    expect((await readable(log, STREAM, { from: 4, limit: 2 })).events.map(numberOf)).toEqual([4, 5])
  })

  it('takes no append that would begin a deleted one again in silence', async () => {
    const { server, log } = await world()
    server.store.softDelete(STREAM, 0)
    await expect(log.append(STREAM, -1, [noted(9)])).rejects.toBeInstanceOf(StreamDamaged)
  })
})

it('a stream that never was is empty, also where that is made certain, and whatever is set on it', async () => {
  const { server, log } = await world()
  setMetadata(server, 'notes-2', { $maxAge: 60 })
  for (const name of ['notes-2', 'notes-3']) expect(await gathered(log.read(name, { isCertain: true }))).toEqual([])
})

it('[DAMAGED-1] copies and links in the streams of others are nothing that is read or followed', async () => {
  const { server, log } = await world()
  copyInto(server, 'archive-notes-1', STREAM)
  linkInto(server, 'archive-notes-2', STREAM)
  const following = followed(log)
  await until(() => following.caughtUp() === 1)
  expect(following.numbers).toEqual(upTo(5))
  expect((await gathered(log.readAll())).map(numberOf)).toEqual(upTo(5))
  expect(await gathered(log.read('archive-notes-1'))).toEqual([])
})

function hides(metadata: object): Hand {
  return (server) => setMetadata(server, STREAM, metadata)
}

function aged(server: EventStoreStandin): void {
  setMetadata(server, STREAM, { $maxAge: 60 })
  server.behaviour.clock = () => Date.now() + 61_000
}

function foreign(server: EventStoreStandin): void {
  server.put(STREAM, { type: 'Foreign' })
}

function cause(text: string): unknown {
  return expect.stringContaining(text)
}

/** Notes with these numbers as we write them. */
function encoded(from: number, to: number): { type: string; data: Uint8Array; meta: Uint8Array }[] {
  return upTo(to - from).map((n) => {
    const { type, data, meta } = codec({}).encode(noted(from + n))
    return { type, data: Buffer.from(data), meta: Buffer.from(meta) }
  })
}
