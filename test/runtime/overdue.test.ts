import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Recorded } from '../../machines/kernel.ts'
import { foreign } from '../../src/log/damaged.ts'
import { type Due, overdue } from '../../src/runtime/overdue.ts'
import { manualClock } from '../support/clock.ts'

/** Another thing that was opened, due at `at`. */
const opened = (at: number): Recorded => ({ id: '', stream: 's', revision: 0, position: 0n, at, event: { type: 'X' } })

test('[WATCH-15] what is being ended is not asked to end again, unless it could not be ended', async () => {
  const clock = manualClock()
  const things: Due[] = [{ id: 'slow', dueAt: clock.now() }]
  const asked: string[] = []
  const errors: unknown[] = []
  let answer = Promise.withResolvers<'ended' | 'damaged'>()
  const policy = overdue({
    open: () => things,
    end: ({ id }) => {
      asked.push(id)
      return answer.promise
    },
    dueBy: ({ at }) => at,
    clock,
    onError: (error) => void errors.push(error),
  })
  const started = policy.start()

  // Others fall due while the log does not answer: each time all that is open is looked at.
  for (const id of ['b', 'c']) {
    clock.advance(5_000)
    things.push({ id, dueAt: clock.now() })
    policy.onEvent(opened(clock.now()))
    clock.advance(0)
    await nextTurn()
  }
  expect(asked).toEqual(['slow', 'b', 'c'])

  answer.reject(new Error('the log is away'))
  await started
  await nextTurn()
  expect(errors).toHaveLength(3)
  answer = Promise.withResolvers<'ended' | 'damaged'>()
  clock.advance(1_000)
  expect(asked).toEqual(['slow', 'b', 'c', 'slow', 'b', 'c'])
  answer.resolve('ended')
  policy.stop()
  await nextTurn()
  expect(clock.pending()).toBe(0)
})

test('[DAMAGED-5] what is damaged is asked to end once, and left alone', async () => {
  const clock = manualClock()
  const asked: string[] = []
  const policy = overdue({
    open: () => ['told', 'thrown', 'sound'].map((id) => ({ id, dueAt: clock.now() })),
    async end({ id }) {
      asked.push(id)
      if (id === 'thrown') throw foreign('course-1', 3, 'Foreign')
      return id === 'told' ? 'damaged' : 'ended'
    },
    dueBy: ({ at }) => at,
    clock,
    onError: () => {},
  })
  await policy.start()
  expect(asked).toEqual(['told', 'thrown', 'sound'])
  clock.advance(1_000)
  await nextTurn()
  expect(asked).toEqual(['told', 'thrown', 'sound', 'sound'])
  policy.stop()
})
