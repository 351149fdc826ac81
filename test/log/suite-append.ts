import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { AppendTooLarge, InvalidAppend, type Proposed, WrongRevision } from '../../src/log/log.ts'
import { type Given, gather, type Noted, note, notes, rejection, textOf } from './suite-world.ts'

const LIMIT_BYTES = 1_048_576

/** As the time of an event is stored: `"at":1700000000000,`. */
const TIME_BYTES = 19

/** An event that counts exactly `bytes` as it is stored. */
function sized(bytes: number): Proposed<Noted> {
  const empty = note('')
  const { type, data, meta } = codec({}).encode(empty)
  const envelope = Buffer.byteLength(data) + Buffer.byteLength(meta) + 2 * type.length + TIME_BYTES
  return { ...empty, event: { ...empty.event, text: 'x'.repeat(bytes - envelope) } }
}

export function appendCases(given: Given): void {
  given(
    '[case 1] two events on a new stream get revisions 0 and 1, and the last place is told',
    async ({ log, stream }) => {
      const appended = await log.append(stream('a'), -1, notes('a', 'b'))
      const found = await gather(log.read(stream('a')))
      expect(found.map((event) => [event.revision, textOf(event)])).toEqual([
        [0, 'a'],
        [1, 'b'],
      ])
      expect(appended).toEqual({ revision: 1, position: found[1]?.position })
      expect(found[0]?.at).toBe(found[1]?.at)
    },
  )

  given(
    '[case 2] an exact revision on a stream that does not exist is a conflict with actual -1',
    async ({ log, stream, all }) => {
      expect(await rejection(log.append(stream('a'), 0, notes('a')))).toMatchObject({
        name: 'WrongRevision',
        actual: -1,
      })
      expect(await all()).toEqual([])
    },
  )

  given(
    '[case 3] the exact last revision is accepted, an older or a later one is a conflict',
    async ({ log, stream }) => {
      const name = stream('a')
      await log.append(name, -1, notes('a', 'b', 'c'))
      expect(await rejection(log.append(name, 0, notes('x')))).toMatchObject({ actual: 2 })
      expect(await rejection(log.append(name, 5, notes('x')))).toMatchObject({ actual: 2 })
      expect((await log.append(name, 2, notes('d'))).revision).toBe(3)
      expect((await gather(log.read(name))).map(textOf)).toEqual(['a', 'b', 'c', 'd'])
    },
  )

  given(
    '[case 4] new events for a stream that should not exist yet are a conflict with its revision',
    async ({ log, stream }) => {
      await log.append(stream('a'), -1, notes('a', 'b'))
      expect(await rejection(log.append(stream('a'), -1, notes('x')))).toMatchObject({ actual: 1 })
    },
  )

  given(
    '[case 7] of racing writers one wins each revision, losers see at least its revision, no gaps',
    async ({ log, stream }) => {
      const name = stream('race')
      let revision = -1
      for (let round = 0; round < 5; round++) {
        const racers = await Promise.allSettled(
          Array.from({ length: 8 }, (_, writer) => log.append(name, revision, [note([round, writer])])),
        )
        const losers = racers.flatMap((racer) => (racer.status === 'rejected' ? [racer.reason as WrongRevision] : []))
        expect(losers).toHaveLength(7)
        revision += 1
        for (const loser of losers) {
          expect(loser).toBeInstanceOf(WrongRevision)
          expect(loser.actual).toBeGreaterThanOrEqual(revision)
        }
      }
      expect((await gather(log.read(name))).map((event) => event.revision)).toEqual([0, 1, 2, 3, 4])
    },
  )

  given('[case 7] a loser can at once read what it lost to', async ({ log, stream }) => {
    const name = stream('race')
    const seen = await Promise.all(
      Array.from({ length: 4 }, (_, writer) =>
        log.append(name, -1, [note(writer)]).then(
          () => 1,
          () => gather(log.read(name)).then((found) => found.length),
        ),
      ),
    )
    expect(seen).toEqual([1, 1, 1, 1])
  })

  given('[case 8] of a refused append of several events none exists', async ({ log, stream, all }) => {
    await log.append(stream('a'), -1, notes('a'))
    await rejection(log.append(stream('a'), -1, notes('x', 'y')))
    await rejection(log.append(stream('b'), -1, [note('x'), sized(LIMIT_BYTES)]))
    await rejection(log.append(stream('c'), -1, [note('x'), note(1n)]))
    expect((await all()).map(textOf)).toEqual(['a'])
  })

  given(
    '[case 8] events of one append stand together in their stream and in the whole log',
    async ({ log, stream, all }) => {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => log.append(stream(name), -1, notes(1, 2, 3))))
      const found = await all()
      for (let first = 0; first < 12; first += 3) {
        const three = found.slice(first, first + 3)
        expect(new Set(three.map((event) => event.stream)).size).toBe(1)
        expect(three.map(textOf)).toEqual([1, 2, 3])
      }
    },
  )

  given('[case 9] an append without events is refused', async ({ log, stream }) => {
    expect(await rejection(log.append(stream('a'), -1, []))).toBeInstanceOf(InvalidAppend)
  })

  given(
    '[SIZE-1] [case 10] data, metadata and types of exactly 1,048,576 bytes are accepted, one byte more is not',
    async ({ log, stream, all }) => {
      const half = LIMIT_BYTES / 2
      await log.append(stream('a'), -1, [sized(half), sized(half)])
      const refused = await rejection(log.append(stream('a'), 1, [sized(half), sized(half + 1)]))
      expect(refused).toBeInstanceOf(AppendTooLarge)
      const numbers = /at most 1048576 bytes .* got 1048577: split it/
      expect(refused).toMatchObject({ limitBytes: LIMIT_BYTES, message: expect.stringMatching(numbers) })
      expect(await all()).toHaveLength(2)
    },
  )

  given(
    '[case 11] bad ids, names and expectations are refused and nothing is written',
    async ({ log, stream, all }) => {
      const typed = (type: string): Proposed => ({ ...note('x'), event: { type } })
      for (const [name, expected, events] of [
        [stream('a'), -1, [note('x', {}, 'not-a-uuid')]],
        [stream('a'), -1, [typed('')]],
        [stream('a'), -1, [typed('$system')]],
        ['', -1, notes('x')],
        [`$${stream('a')}`, -1, notes('x')],
        [`\u0000${stream('a')}`, -1, notes('x')],
        [`${'x'.repeat(600)}${stream('a')}`, -1, notes('x')],
        [stream('a'), -2, notes('x')],
        [stream('a'), 0.5, notes('x')],
      ] as const) {
        expect(await rejection(log.append(name, expected, events))).toBeInstanceOf(InvalidAppend)
      }
      expect(await all()).toEqual([])
    },
  )

  given('[case 12] every JSON value and every metadata field comes back as it was', async ({ log, stream }) => {
    const text = [
      '𝄞 😀 \u2028 " \\ \n',
      '',
      null,
      { deep: [null, { nothing: null }] },
      [],
      {},
      0,
      -1.5e300,
      true,
      '\ud800',
    ]
    const full = note(text, { causationId: randomUUID(), client: { key: 'k', digest: 'd' } })
    const bare = note('bare')
    await log.append(stream('ünï 𝄞'), -1, [full, bare])
    const [first, second] = await gather(log.read(stream('ünï 𝄞')))
    expect(first).toMatchObject({ ...full, stream: stream('ünï 𝄞') })
    expect(first?.meta).toStrictEqual(full.meta)
    expect(second?.meta).toStrictEqual(bare.meta)
    expect(second?.event).toStrictEqual(bare.event)
  })

  given('[case 12] writers and readers share no object', async ({ log, stream }) => {
    const list = ['as it was']
    await log.append(stream('a'), -1, [note(list)])
    list.push('changed by the writer')
    expect((await gather(log.read(stream('a')))).map(textOf)).toEqual([['as it was']])
  })

  given('[case 13] what JSON cannot hold is refused, and later appends work', async ({ log, stream }) => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(await rejection(log.append(stream('a'), -1, [note(1n)]))).toBeInstanceOf(InvalidAppend)
    expect(await rejection(log.append(stream('a'), -1, [note(cycle)]))).toBeInstanceOf(InvalidAppend)
    expect((await log.append(stream('a'), -1, [note(undefined)])).revision).toBe(0)
    const [found] = await gather(log.read(stream('a')))
    expect(found?.event).toStrictEqual({ type: 'Noted' })
  })

  given('[case 21] a conflict names the stream, what was expected and what is', async ({ log, stream }) => {
    await log.append(stream('a'), -1, notes('a', 'b'))
    const conflict = await rejection(log.append(stream('a'), 7, notes('x')))
    expect(conflict).toBeInstanceOf(WrongRevision)
    expect(conflict).toMatchObject({ stream: stream('a'), expected: 7, actual: 1 })
  })

  given('[case 46] who, which command and which cause come back with every event', async ({ log, stream, all }) => {
    const meta = { correlationId: randomUUID(), causationId: randomUUID(), by: 'acme.ada' }
    await log.append(stream('a'), -1, [note('a', meta), note('b', meta)])
    expect((await all()).map((event) => event.meta)).toStrictEqual([meta, meta])
  })
}
