import { expect } from 'vitest'
import { LogUnavailable, type Recorded, UnreadableEvent } from '../../src/log/log.ts'
import { type Given, gather, notes, rejection, renote, textOf } from './suite-world.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

export function readCases(given: Given): void {
  given('[case 22] a stream is read from any revision, either way, up to a limit', async ({ log, stream }) => {
    const name = stream('s')
    await log.append(name, -1, notes(0, 1, 2, 3, 4))
    const texts = async (...options: Parameters<typeof log.read> extends [string, ...infer Rest] ? Rest : never) =>
      (await gather(log.read(name, ...options))).map(textOf)
    expect(await texts()).toEqual([0, 1, 2, 3, 4])
    expect(await texts({ from: 2 })).toEqual([2, 3, 4])
    expect(await texts({ from: 1, limit: 2 })).toEqual([1, 2])
    expect(await texts({ backwards: true })).toEqual([4, 3, 2, 1, 0])
    expect(await texts({ from: 2, backwards: true })).toEqual([2, 1, 0])
    expect(await texts({ from: 3, backwards: true, limit: 2 })).toEqual([3, 2])
    expect(await texts({ from: 0, backwards: true })).toEqual([0])
    expect(await texts({ from: 5 })).toEqual([])
    expect(await texts({ from: 500 })).toEqual([])
  })

  given('[case 22] a long stream comes whole, in order, in several batches, either way', async ({ log, stream }) => {
    const name = stream('long')
    for (let first = 0; first < 1_200; first += 200)
      await log.append(name, first - 1, notes(...numbers(first, first + 200)))
    const batchSizes: number[] = []
    const revisions: number[] = []
    for await (const batch of log.read(name)) {
      batchSizes.push(batch.length)
      revisions.push(...batch.map((event) => event.revision))
    }
    expect(revisions).toEqual(numbers(0, 1_200))
    expect(batchSizes.length).toBeGreaterThan(1)
    expect(batchSizes).not.toContain(0)
    expect((await gather(log.read(name, { backwards: true }))).map(textOf)).toEqual(numbers(0, 1_200).reverse())
    expect(await gather(log.read(name, { limit: 600 }))).toHaveLength(600)
  })

  given('[case 22] streams whose names begin alike are not mixed', async ({ log, stream }) => {
    const name = stream('s')
    for (const other of [name, `${name}-`, `${name}1`, `${name}0`, `0${name}`])
      await log.append(other, -1, notes(other))
    expect((await gather(log.read(name))).map(textOf)).toEqual([name])
    expect((await gather(log.read(name, { backwards: true }))).map(textOf)).toEqual([name])
  })

  given('[case 23] a stream that does not exist is empty', async ({ log, stream }) => {
    expect(await gather(log.read(stream('none')))).toEqual([])
    expect(await gather(log.read(stream('none'), { backwards: true }))).toEqual([])
  })

  given('[case 24] the last event is read backwards with limit 1', async ({ log, stream }) => {
    await log.append(stream('s'), -1, notes('a', 'b', 'c'))
    const last = await gather(log.read(stream('s'), { backwards: true, limit: 1 }))
    expect(last.map((event) => [event.revision, textOf(event)])).toEqual([[2, 'c']])
  })

  given('[case 25] an acknowledged append is read at once', async ({ log, stream, all }) => {
    for (let revision = -1; revision < 20; revision++) {
      await log.append(stream('s'), revision, notes(revision))
      expect((await gather(log.read(stream('s'), { backwards: true, limit: 1 }))).map(textOf)).toEqual([revision])
    }
    expect((await all()).map(textOf)).toEqual(numbers(-1, 20))
  })

  given(
    '[case 26] the whole log is read from a position, either way, in the order of the appends',
    async ({ log, stream, all }) => {
      const order = ['a', 'b', 'a', 'c', 'b']
      const next: Record<string, number> = {}
      for (const name of order) {
        const revision = next[name] ?? -1
        await log.append(stream(name), revision, notes(`${name}${revision + 1}`))
        next[name] = revision + 1
      }
      const found = await all()
      expect(found.map(textOf)).toEqual(['a0', 'b0', 'a1', 'c0', 'b1'])
      const from = found[2]?.position
      if (from === undefined) throw new Error('unreachable: five events were found')
      expect((await all({ from })).map(textOf)).toEqual(['a1', 'c0', 'b1'])
      expect((await all({ from, backwards: true })).map(textOf)).toEqual(['b0', 'a0'])
      expect((await all({ backwards: true })).map(textOf)).toEqual(['b1', 'c0', 'a1', 'b0', 'a0'])
      expect((await gather(log.readAll({ from, limit: 1 }))).map(textOf)).toEqual(['a1'])
      expect(await gather(log.readAll({ from, backwards: true, limit: 2 }))).toHaveLength(2)
    },
  )

  given('[case 26] reading may be broken off after any batch', async ({ log, stream }) => {
    await log.append(stream('s'), -1, notes(...numbers(0, 1_100)))
    for await (const batch of log.read(stream('s'))) {
      expect(batch[0]?.revision).toBe(0)
      break
    }
    expect(await gather(log.read(stream('s')))).toHaveLength(1_100)
  })

  given('[case 27] positions are bigints that grow strictly over the whole log', async ({ log, stream, all }) => {
    await log.append(stream('a'), -1, notes(1, 2))
    await log.append(stream('b'), -1, notes(3))
    await log.append(stream('a'), 1, notes(4, 5))
    const positions = (await all()).map((event) => event.position)
    expect(positions).toHaveLength(5)
    for (const [index, position] of positions.entries()) {
      expect(typeof position).toBe('bigint')
      if (index > 0) expect(position > (positions[index - 1] ?? 0n)).toBe(true)
    }
  })

  given('[case 28] the whole log shows no bookkeeping of its own', async ({ log, stream }) => {
    await log.append(stream('a'), -1, notes(1))
    const found = await gather(log.readAll())
    expect(found.filter((event) => event.stream.startsWith('$') || event.event.type.startsWith('$'))).toEqual([])
  })

  given(
    '[case 47] a clock that steps backwards changes times, not order',
    async ({ harness, context, log, stream, all }) => {
      if (!harness.setNow) return context.skip('the clock of this adapter is its server')
      harness.setNow(2_000)
      await log.append(stream('a'), -1, notes('first'))
      harness.setNow(1_000)
      await log.append(stream('b'), -1, notes('second'))
      expect((await all()).map((event) => [textOf(event), event.at])).toEqual([
        ['first', 2_000],
        ['second', 1_000],
      ])
    },
  )

  given(
    '[case 25] everything acknowledged is there after the log was opened again',
    async ({ harness, context, log, stream, all }) => {
      if (!harness.reopen) return context.skip('this adapter cannot be opened again')
      await Promise.all(numbers(0, 20).map((n) => log.append(stream(`s${n}`), -1, notes(n, n))))
      const before = await all()
      const again = await harness.reopen()
      expect((await gather(again.readAll())).filter((event) => before.some(({ id }) => id === event.id))).toEqual(
        before,
      )
      expect(before).toHaveLength(40)
    },
  )

  given(
    '[LOG-2] an event of a newer version keeps its place, and tells whoever looks into it why it cannot be read',
    async ({ log, stream, all }) => {
      const written = [...notes('before'), renote(), ...notes('after')]
      await log.append(stream('s'), -1, written)
      const pages = [await gather(log.read(stream('s'))), await all(), await all({ backwards: true })]
      for (const page of pages) {
        const [before, newer, after] = page.sort((a, b) => a.revision - b.revision) as [Recorded, Recorded, Recorded]
        expect(page.map(({ id, revision }) => [id, revision])).toEqual(written.map(({ id }, at) => [id, at]))
        expect([textOf(before), textOf(after)]).toEqual(['before', 'after'])
        expect(newer.position > before.position && newer.position < after.position).toBe(true)
        for (const look of [() => newer.event, () => newer.meta]) {
          expect(look).toThrow(UnreadableEvent)
          expect(look).toThrow(
            `event 1 of ${stream('s')} cannot be read: it is Renoted version 3, and this release of Lyceum knows ` +
              'Renoted up to version 2. A newer release recorded it: start that release again, or a later one',
          )
        }
      }
    },
  )

  given('[case 37] a closed log refuses to append, and closing it again is harmless', async ({ log, stream }) => {
    await log.close()
    expect(await rejection(log.append(stream('a'), -1, notes(1)))).toBeInstanceOf(LogUnavailable)
    await log.close()
  })
}
