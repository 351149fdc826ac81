import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { type EventStoreOptions, openEventStoreLog } from '../../src/log/eventstore.ts'
import type { FollowOptions, Log, Proposed, Recorded } from '../../src/log/log.ts'
import { type EventStoreStandin, type StandinOptions, startEventStore } from './eventstore-standin.ts'
import { slowly } from './slowness.ts'

/** An attempt is short enough to be repeated within a test; all together are long enough for a busy machine. */
const patience = () => ({ attemptMs: slowly(400), totalMs: slowly(15_000) })

/** A stand-in that ends with the test. */
export async function aServer(options?: StandinOptions): Promise<EventStoreStandin> {
  const server = await startEventStore(options)
  onTestFinished(() => server.kill())
  return server
}

/** A log on `server` (or on a URL) that is closed with the test. */
export async function aLog(server: EventStoreStandin | string, options: Partial<EventStoreOptions> = {}): Promise<Log> {
  const url = typeof server === 'string' ? server : server.url
  const log = await openEventStoreLog({ url, codec: codec({}), patience: patience(), ...options })
  onTestFinished(() => log.close())
  return log
}

export const noted = (n: number): Proposed => ({
  id: randomUUID(),
  event: { type: 'Noted', n } as Proposed['event'],
  meta: { correlationId: randomUUID(), by: 'acme.ada' },
})

export const numberOf = ({ event }: Recorded): number => (event as Recorded['event'] & { n: number }).n

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

export interface Followed {
  readonly numbers: number[]
  readonly caughtUp: () => number
  readonly errors: unknown[]
  stop(): Promise<void>
}

/** Follows and keeps the numbers of the events in the order they came. Stopped with the test. */
export function followed(log: Log, options: Partial<FollowOptions> = {}): Followed {
  const numbers: number[] = []
  const errors: unknown[] = []
  let caughtUp = 0
  const following = log.follow({
    after: 'start',
    async each(batch) {
      await options.each?.(batch)
      numbers.push(...batch.map(numberOf))
    },
    caughtUp() {
      caughtUp += 1
    },
    failed: (error) => errors.push(error),
    ...(options.after === undefined ? {} : { after: options.after }),
  })
  onTestFinished(() => following.stop())
  return { numbers, caughtUp: () => caughtUp, errors, stop: () => following.stop() }
}

/** Resolves when `fact` is true; looks once per turn of the event loop. The test's own time limit ends it otherwise. */
export async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await nextTurn()
}

/**
 * Breaks subscriptions again and again until one goes on from this event: how far the one before is known to have come
 * is read from the server, beside what it delivers.
 */
export async function resumedAfter(server: EventStoreStandin, position: bigint | undefined): Promise<void> {
  const { subscribedAfter } = server
  do {
    const count = subscribedAfter.length
    for (const _ of upTo(50)) await nextTurn()
    server.dropSubscriptions()
    await until(() => subscribedAfter.length > count)
  } while (subscribedAfter.at(-1) !== position)
}

export async function gathered(batches: AsyncIterable<readonly Recorded[]>): Promise<Recorded[]> {
  const found: Recorded[] = []
  for await (const batch of batches) found.push(...batch)
  return found
}
