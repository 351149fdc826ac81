import { expect } from 'vitest'
import { LogUnavailable } from '../../src/log/log.ts'
import { type Given, gather, note, notes, rejection, textOf } from './suite-world.ts'

export function retryCases(given: Given): void {
  given(
    '[case 14] the same ids with the same expectation give the first answer again and add nothing',
    async ({ log, stream, all }) => {
      const events = notes('a', 'b')
      const first = await log.append(stream('a'), -1, events)
      expect(await log.append(stream('a'), -1, events)).toEqual(first)
      expect(await all()).toHaveLength(2)
    },
  )

  given('[case 14] the same append sent twice at the same moment is one append', async ({ log, stream, all }) => {
    const events = notes('a', 'b')
    const [first, second] = await Promise.all([
      log.append(stream('a'), -1, events),
      log.append(stream('a'), -1, events),
    ])
    expect(second).toEqual(first)
    expect(await all()).toHaveLength(2)
  })

  given(
    '[case 15] a late repeat is answered with the original place, however much came after it',
    async ({ log, stream, all }) => {
      const events = notes('a')
      await log.append(stream('s'), -1, notes('before'))
      const first = await log.append(stream('s'), 0, events)
      for (let revision = 1; revision < 21; revision++) await log.append(stream('s'), revision, notes(revision))
      await log.append(stream('other'), -1, notes('o'))
      expect(await log.append(stream('s'), 0, events)).toEqual(first)
      expect(await all()).toHaveLength(23)
    },
  )

  given(
    '[case 16] the beginning of a former append is a repeat, anything else at its place a conflict',
    async ({ log, stream, all }) => {
      const [a, b, c] = [note('a'), note('b'), note('c')]
      await log.append(stream('s'), -1, [a, b])
      const [first] = await gather(log.read(stream('s')))
      expect(await log.append(stream('s'), -1, [a])).toEqual({ revision: 0, position: first?.position })
      for (const events of [[a, b, c], [a, note('x')], [b, a], [b]]) {
        expect(await rejection(log.append(stream('s'), -1, events))).toMatchObject({ name: 'WrongRevision', actual: 1 })
      }
      expect(await all()).toHaveLength(2)
    },
  )

  given('[case 18] the same id in another stream is another event', async ({ log, stream, all }) => {
    const a = note('a')
    await log.append(stream('s'), -1, [a])
    expect((await log.append(stream('t'), -1, [a])).revision).toBe(0)
    expect((await all()).map((event) => event.id)).toEqual([a.id, a.id])
  })

  given('[case 19] the same id at the end of the same stream is another event', async ({ log, stream }) => {
    const a = note('a')
    await log.append(stream('s'), -1, [a, ...notes('b', 'c', 'd')])
    expect((await log.append(stream('s'), 3, [a])).revision).toBe(4)
    expect((await gather(log.read(stream('s')))).map(textOf)).toEqual(['a', 'b', 'c', 'd', 'a'])
  })

  given(
    '[case 20] an append whose answer was lost exists once after it was repeated',
    async ({ harness, context, log, stream, all }) => {
      if (!harness.loseNextAnswer) return context.skip('this adapter has no connection that could lose an answer')
      const events = notes('a', 'b')
      await log.append(stream('s'), -1, notes('before'))
      harness.loseNextAnswer()
      await log.append(stream('s'), 0, events).catch((error: unknown) => expect(error).toBeInstanceOf(LogUnavailable))
      expect((await log.append(stream('s'), 0, events)).revision).toBe(2)
      expect((await all()).map(textOf)).toEqual(['before', 'a', 'b'])
    },
  )

  given(
    '[case 14] a repeat is recognised after the log was opened again',
    async ({ harness, context, log, stream }) => {
      if (!harness.reopen) return context.skip('this adapter cannot be opened again')
      const events = notes('a', 'b')
      const first = await log.append(stream('s'), -1, events)
      await log.append(stream('s'), 1, notes('c'))
      const again = await harness.reopen()
      expect(await again.append(stream('s'), -1, events)).toEqual(first)
      expect((await again.append(stream('s'), 2, notes('d'))).revision).toBe(3)
    },
  )
}
