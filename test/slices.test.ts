import { expect, test } from 'vitest'
import { nextTurn, slice } from '../src/slices.ts'

const busy = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Steps of long works, and turns of the event loop between them, in the order in which they were. */
async function orderOf(works: number, steps: number, pause: () => Promise<void> | undefined): Promise<string[]> {
  const seen: string[] = []
  let isOver = false
  const turn = (): void => {
    if (isOver) return
    seen.push('turn')
    setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all(
    Array.from({ length: works }, async (_, work) => {
      for (let step = 0; step < steps; step++) {
        busy(6) // more than a slice
        seen.push(`${work}`)
        await pause()
      }
    }),
  )
  isOver = true
  return seen
}

test('[TURN-2] of many long works at once a turn of the event loop holds a slice of one', async () => {
  const seen = await orderOf(4, 4, slice)
  // Each begins before anybody can know that it is long; from then on they take turns.
  const then = seen.slice(seen.indexOf('turn'))
  for (const [n, one] of then.entries()) if (one !== 'turn' && n > 0) expect(then[n - 1]).toBe('turn')
  const works = then.filter((one) => one !== 'turn')
  expect(works.length).toBeGreaterThan(8)
  for (let n = 4; n < works.length; n++) expect(works[n]).toBe(works[n - 4])
})

test('[TURN-2] short work is not interrupted', async () => {
  const pausesIn = async (): Promise<number> => {
    await nextTurn()
    let pauses = 0
    for (let n = 0; n < 100; n++) if (slice()) pauses++
    return pauses
  }
  // On a busy machine this process itself may be interrupted.
  let least = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 50 && least > 0; tries++) least = Math.min(least, await pausesIn())
  expect(least).toBe(0)
})

test('[TURN-2] whoever waits for a turn gets one each, first come first served', async () => {
  const seen: string[] = []
  await Promise.all(['a', 'b', 'c'].map((name) => nextTurn().then(() => void seen.push(name))))
  expect(seen).toEqual(['a', 'b', 'c'])
})
