import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { type EventStoreStandin, startEventStore } from '../support/eventstore-standin.ts'
import type { Behaviour } from '../support/eventstore-standin-faults.ts'
import { standinStore } from '../support/eventstore-standin-store.ts'
import { gathered, noted, numberOf, upTo } from '../support/eventstore-standin-world.ts'
import { type Line, openLine } from '../support/line.ts'
import { slowly } from '../support/slowness.ts'

/** From the end of a fault until all is right. */
const RIGHT_MS = slowly(20_000)
const FAULT_MS = 3_000
const PATIENCE = { attemptMs: slowly(300), totalMs: slowly(900) }

interface World {
  readonly name: Line
  readonly first: EventStoreStandin
  /** Has the same data. */
  readonly second: EventStoreStandin
}

const urlOf = ({ port }: EventStoreStandin): string => `http://127.0.0.1:${port}`

/** Gives what undoes it. */
function changed({ behaviour }: EventStoreStandin, its: Partial<Behaviour>): () => void {
  const before = { ...behaviour }
  Object.assign(behaviour, its)
  return () => void Object.assign(behaviour, before)
}

/** Each begins the fault, and gives what ends it. */
const FAULTS: Readonly<Record<string, (world: World) => () => void | Promise<void>>> = {
  'refuses connections'({ name }) {
    name.down()
    return () => name.mend()
  },
  'is silent, and old connections are for ever half open'({ name }) {
    name.freeze()
    return () => name.mend()
  },
  'is silent, and what was sent arrives late'({ name }) {
    name.freeze()
    return () => name.mend('thaw')
  },
  'has moved: nobody is at the old address, and the name leads elsewhere'({ name, first, second }) {
    first.kill()
    return () => name.leadTo(urlOf(second))
  },
  'is slow: every answer comes later than anybody waits'({ first }) {
    return changed(first, { appendDelayMs: 2 * PATIENCE.totalMs, readDelayMs: 2 * PATIENCE.totalMs })
  },
  'takes no writes, and says so'({ first }) {
    return changed(first, { onAppend: () => 'not-ready' })
  },
  'takes writes and answers none'({ first }) {
    return changed(first, { onAppend: () => 'keep-silent' })
  },
  'is no leader any more, and names one that is not there'({ first }) {
    return changed(first, { leader: { host: '127.0.0.1', port: 1 } })
  },
  'is not ready'({ first }) {
    return changed(first, { isReady: false })
  },
  'ends and starts again'({ first }) {
    first.kill()
    return () => first.restart()
  },
}

// `for` hands over the test's own tools, without which tests at once would end each other's servers.
test.concurrent.for(Object.entries(FAULTS))(
  '[ESDB-7] a store that %s: nobody waits for long, and writing, reading and following are right again within 20 s',
  { timeout: 3 * RIGHT_MS },
  async ([, begin], { expect, onTestFinished }) => {
    const store = standinStore()
    const [first, second] = await Promise.all([startEventStore({ store }), startEventStore({ store })])
    const name = await openLine(urlOf(first))
    const log = await openEventStoreLog({
      url: `esdb://127.0.0.1:${new URL(name.url).port}?tls=false`,
      codec: codec({}),
      patience: PATIENCE,
    })
    const numbers: number[] = []
    const ended: unknown[] = []
    const following = log.follow({
      after: 'start',
      each: async (batch) => void numbers.push(...batch.map(numberOf)),
      failed: (error) => ended.push(error),
    })
    onTestFinished(async () => {
      await following.stop()
      await log.close()
      await name.close()
      first.kill()
      second.kill()
    })

    /** What a client has asked and asks again until it is answered, each with the ids of its first try. */
    let next = noted(0)
    let acked = 0
    const write = async (): Promise<void> => {
      await log.append('notes-1', acked - 1, [next])
      acked++
      next = noted(acked)
    }
    const read = async (): Promise<readonly number[]> => (await gathered(log.read('notes-1'))).map(numberOf)
    const isRight = async (): Promise<void> => {
      await expect
        .poll(
          () =>
            write().then(
              () => true,
              () => false,
            ),
          { timeout: RIGHT_MS },
        )
        .toBe(true)
      await expect.poll(() => read().catch(String), { timeout: RIGHT_MS }).toEqual(upTo(acked))
      await expect.poll(() => numbers, { timeout: RIGHT_MS }).toEqual(upTo(acked))
    }
    await isRight()

    const end = begin({ name, first, second })
    const until = performance.now() + FAULT_MS
    while (performance.now() < until) {
      for (const ask of [write, read]) {
        const began = performance.now()
        await ask().catch((error: unknown) => expect(error).toBeInstanceOf(LogUnavailable))
        // All attempts, and the grace of the last one.
        expect(performance.now() - began).toBeLessThan(slowly(4_000))
      }
      await pause(100)
    }
    await end()
    await isRight()
    expect(ended).toEqual([])
  },
)
