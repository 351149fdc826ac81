import { expect } from 'vitest'
import { AnotherPast, type Recorded, UnreadableEvent } from '../../src/log/log.ts'
import { type Given, notes, renote, textOf } from './suite-world.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

export function followCases(given: Given): void {
  given(
    '[case 29] from the start come all events in order, then caughtUp once, then live ones',
    async ({ log, stream, follow }) => {
      await log.append(stream('a'), -1, notes(0, 1))
      await log.append(stream('b'), -1, notes(2))
      const kept = follow({ after: 'start' })
      await kept.live()
      expect(kept.order).toEqual([stream('a'), stream('a'), stream('b'), 'caughtUp'])
      await log.append(stream('a'), 1, notes(3))
      await log.append(stream('c'), -1, notes(4))
      await kept.until(() => kept.events.length >= 5)
      expect(kept.events.map(textOf)).toEqual([0, 1, 2, 3, 4])
      expect(kept.order.filter((entry) => entry === 'caughtUp')).toHaveLength(1)
    },
  )

  given('[case 29] a following delivers the same events as a reading', async ({ log, stream, all, follow }) => {
    await log.append(stream('a'), -1, notes({ past: [1, null] }))
    const kept = follow({ after: 'start' })
    await kept.live()
    await log.append(stream('b'), -1, notes({ live: '𝄞', gone: undefined }, 'x'))
    await kept.until(() => kept.events.length >= 3)
    expect(kept.events).toStrictEqual(await all())
  })

  given('[case 29] nothing is lost or repeated where the past meets what is live', async ({ log, stream, follow }) => {
    const name = stream('s')
    await log.append(name, -1, notes(...numbers(0, 700)))
    const kept = follow({ after: 'start' })
    for (let next = 700; next < 760; next++) await log.append(name, next - 1, notes(next))
    await kept.until(() => kept.events.length >= 760)
    expect(kept.events.map(textOf)).toEqual(numbers(0, 760))
  })

  given('[LOG-2] an event of a newer version ends no following', async ({ log, stream, follow }) => {
    await log.append(stream('a'), -1, [...notes('past'), renote()])
    const kept = follow({ after: 'start' })
    await kept.live()
    await log.append(stream('b'), -1, [renote(), ...notes('live')])
    await kept.until(() => kept.events.length >= 4)
    const read = kept.events.map((recorded) => {
      try {
        return textOf(recorded)
      } catch (error) {
        return error instanceof UnreadableEvent
      }
    })
    expect(read).toEqual(['past', true, true, 'live'])
    expect(kept.errors).toEqual([])
  })

  given('[case 30] a position is exclusive: the first event comes after it', async ({ log, stream, all, follow }) => {
    await log.append(stream('a'), -1, notes(0, 1, 2))
    const [, second] = await all()
    if (!second) throw new Error('unreachable: three events were found')
    const kept = follow({ after: second })
    await kept.live()
    expect(kept.events.map(textOf)).toEqual([2])
  })

  given('[case 48] [PAST-6] after an event that the log does not hold nothing comes but the error', async (its) => {
    await its.log.append(its.stream('a'), -1, notes(0, 1, 2))
    const [first, second, third] = await its.all()
    if (!first || !second || !third) throw new Error('unreachable: three events were found')
    const beyond = { position: third.position + 100_000n, id: third.id }
    for (const after of [
      { position: second.position, id: first.id },
      { position: first.position, id: second.id },
      beyond,
    ]) {
      const kept = its.follow({ after })
      await kept.until(() => kept.errors.length > 0)
      expect(kept.errors).toEqual([new AnotherPast(after)])
      expect(kept.events).toEqual([])
    }
  })

  given(
    '[case 31] from the end comes no old event, caughtUp at once, then everything new',
    async ({ log, stream, follow }) => {
      await log.append(stream('a'), -1, notes('old'))
      const kept = follow({ after: 'end' })
      await kept.live()
      await log.append(stream('a'), 0, notes('new'))
      await kept.until(() => kept.events.length >= 1)
      expect(kept.order).toEqual(['caughtUp', stream('a')])
      expect(kept.events.map(textOf)).toEqual(['new'])
    },
  )

  given('[case 32] the first events of a stream that did not exist are delivered', async ({ log, stream, follow }) => {
    const kept = follow({ after: 'end' })
    await kept.live()
    await log.append(stream('fresh'), -1, notes('first', 'second'))
    await kept.until(() => kept.events.length >= 2)
    expect(kept.events.map((event) => [event.stream, event.revision])).toEqual([
      [stream('fresh'), 0],
      [stream('fresh'), 1],
    ])
  })

  given(
    '[case 34] a slow follower loses nothing, keeps the order and is called once at a time',
    async ({ log, stream, follow }) => {
      const gate = Promise.withResolvers<void>()
      let calls = 0
      let atOnce = 0
      const kept = follow({
        async each() {
          calls += 1
          atOnce = Math.max(atOnce, calls)
          await gate.promise
          calls -= 1
        },
      })
      await kept.live()
      for (let first = 0; first < 3_000; first += 300)
        await log.append(stream('s'), first - 1, notes(...numbers(first, first + 300)))
      expect(kept.events).toHaveLength(0)
      gate.resolve()
      await kept.until(() => kept.events.length >= 3_000)
      expect(kept.events.map((event) => event.revision)).toEqual(numbers(0, 3_000))
      expect(atOnce).toBe(1)
    },
  )

  given(
    '[case 34] a follower that never answers does not hold up appends or other followers',
    async ({ log, stream, follow }) => {
      const gate = Promise.withResolvers<void>()
      const stuck = follow({ each: () => gate.promise })
      await stuck.live()
      const other = follow()
      await other.live()
      await log.append(stream('s'), -1, notes(0))
      await log.append(stream('s'), 0, notes(1))
      await other.until(() => other.events.length >= 2)
      gate.resolve()
    },
  )

  given(
    '[case 35] a follower that throws is stopped with its error and gets nothing more',
    async ({ log, stream, follow }) => {
      const wrong = new Error('handler is wrong')
      const seen: unknown[] = []
      const kept = follow({
        each(batch) {
          seen.push(...batch.map(textOf))
          throw wrong
        },
      })
      const other = follow()
      await kept.live()
      await other.live()
      await log.append(stream('s'), -1, notes(0))
      await kept.until(() => kept.errors.length > 0)
      await log.append(stream('s'), 0, notes(1))
      await other.until(() => other.events.length >= 2)
      expect(seen).toEqual([0])
      expect(kept.errors).toEqual([wrong])
      await kept.following.stop()
    },
  )

  given('[case 35] a failing caughtUp stops the following like a failing handler', async ({ log, stream, follow }) => {
    const wrong = new Error('caughtUp is wrong')
    const kept = follow({
      caughtUp() {
        throw wrong
      },
    })
    await kept.until(() => kept.errors.length > 0)
    const other = follow()
    await other.live()
    await log.append(stream('s'), -1, notes(0))
    await other.until(() => other.events.length >= 1)
    expect([kept.errors, kept.events]).toEqual([[wrong], []])
  })

  given(
    '[case 36] after a broken connection the following goes on where it was',
    async ({ harness, context, log, stream, follow }) => {
      if (!harness.breakConnection) return context.skip('this adapter has no connection')
      const kept = follow({ after: 'end' })
      await kept.live()
      await log.append(stream('s'), -1, notes(0, 1))
      await kept.until(() => kept.events.length >= 2)
      const mend = await harness.breakConnection()
      await mend()
      const third = notes(2)
      // Until the adapter has its connection back, an append may be answered "unavailable": the same append is asked
      // again.
      for (let done = false; !done; )
        done = await log.append(stream('s'), 1, third).then(
          () => true,
          () => false,
        )
      await kept.until(() => kept.events.some((event) => textOf(event) === 2))
      // At least once over a break: a repeat of the last ones is allowed, a hole or another order is not.
      expect(firstTimes(kept.events).map(textOf)).toEqual([0, 1, 2])
    },
  )

  given(
    '[case 37] after stop has resolved nothing is delivered, and a second stop is harmless',
    async ({ log, stream, follow }) => {
      const kept = follow()
      const other = follow()
      await kept.live()
      await other.live()
      await log.append(stream('s'), -1, notes(0))
      await kept.until(() => kept.events.length >= 1)
      await kept.following.stop()
      await log.append(stream('s'), 0, notes(1))
      await other.until(() => other.events.length >= 2)
      await kept.following.stop()
      expect(kept.events.map(textOf)).toEqual([0])
    },
  )

  given('[case 37] stop waits for the call that is under way', async ({ log, stream, follow }) => {
    const gate = Promise.withResolvers<void>()
    const called = Promise.withResolvers<void>()
    const kept = follow({
      each() {
        called.resolve()
        return gate.promise
      },
    })
    await kept.live()
    await log.append(stream('s'), -1, notes(0))
    await called.promise
    let stopped = false
    const stopping = kept.following.stop().then(() => {
      stopped = true
    })
    await log.append(stream('s'), 0, notes(1))
    expect(stopped).toBe(false)
    gate.resolve()
    await stopping
    expect(kept.events.map(textOf)).toEqual([0])
  })

  given('[case 37] closing the log stops its followings', async ({ log, stream, follow }) => {
    const kept = follow({ after: 'start' })
    await log.append(stream('s'), -1, notes(0))
    await kept.until(() => kept.events.length >= 1)
    await log.close()
    await kept.following.stop()
    expect([kept.events.length, kept.errors]).toEqual([1, []])
  })

  given('[case 38] two followers see the same order', async ({ log, stream, all, follow }) => {
    const one = follow({ after: 'start' })
    const two = follow({ after: 'start' })
    await Promise.all(
      numbers(0, 60).map((n) =>
        log.append(stream(`s${n % 12}`), Math.floor(n / 12) - 1, notes(n)).catch(() => undefined),
      ),
    )
    const found = await all()
    await one.until(() => one.events.length >= found.length)
    await two.until(() => two.events.length >= found.length)
    expect(one.events).toEqual(found)
    expect(two.events).toEqual(found)
  })
}

function firstTimes(events: readonly Recorded[]): Recorded[] {
  return events.filter((event, index) => events.findIndex(({ id }) => id === event.id) === index)
}
