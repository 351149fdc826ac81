import { beforeEach, expect, test } from 'vitest'
import { foldHistory } from '../../src/log/fold-history.ts'
import type { Log, Recorded } from '../../src/log/log.ts'

const LENGTH = 2_000
let readEvents = 0
let failing = false
beforeEach(() => {
  readEvents = 0
  failing = false
})

const log: Pick<Log, 'read'> = {
  async *read(stream, { from = 0, limit = LENGTH } = {}) {
    if (failing) throw new Error('the log is away')
    const events = Array.from({ length: Math.min(limit, LENGTH - from) }, (_, n) => ({ stream, revision: from + n }))
    readEvents += events.length
    for (let n = 0; n < events.length; n += 100) yield events.slice(n, n + 100) as unknown as Recorded[]
  },
}
/** The sum of its revisions, moved in place. */
const sums = (weight = 1) =>
  foldHistory<{ sum: number }>({
    log,
    fold(state = { sum: 0 }, { revision }) {
      state.sum += revision
      return state
    },
    copy: (state) => ({ ...state }),
    weigh: () => weight,
  })
const sumTo = (revision: number): number => (revision * (revision + 1)) / 2

test('[RESUME-7] what a stream had come to after an event costs what is beyond a mark', async () => {
  const history = sums()
  for (const revision of [1_900, 1_901, 1_749, 1_750, 249, 250, 0, 1_999, 1_900]) {
    const found = await history.at('a', revision)
    expect([found?.state.sum, found?.last.revision]).toEqual([sumTo(revision), revision])
  }
  expect(readEvents).toBe(LENGTH) // each once
})

test('[RESUME-7] at once or one after another, and whatever becomes of the log', async () => {
  const history = sums()
  failing = true
  await expect(history.at('a', 5)).rejects.toThrow('the log is away')
  failing = false
  const asked = Array.from({ length: 40 }, (_, n) => n * 49)
  const found = await Promise.all(asked.map((revision) => history.at('a', revision)))
  expect(found.map((one) => one?.state.sum)).toEqual(asked.map(sumTo))
  expect(await history.at('a', LENGTH)).toBeUndefined()
  expect((await history.at('b', 3))?.state.sum).toBe(6)
})

test('[RESUME-7] only so much is kept: the streams that were asked for last', async () => {
  const history = sums(10_000) // eight marks for each stream, nine in all
  for (const stream of ['a', 'b']) await history.at(stream, LENGTH - 1)
  readEvents = 0
  await history.at('b', LENGTH - 1)
  expect(readEvents).toBe(0)
  await history.at('a', LENGTH - 1)
  expect(readEvents).toBe(LENGTH)
})
