import { join } from 'node:path'
import { EventStoreDBClient, START } from '@eventstore/db-client'
import { eventSchemas } from '../machines/catalogue.ts'
import { chats } from '../projections/chats.ts'
import type { Projection } from '../projections/projection.ts'
import { codec } from '../src/log/codec.ts'
import { openEventStoreLog } from '../src/log/eventstore.ts'
import { openEmbeddedViews } from '../src/views/embedded.ts'
import { rebuildView } from '../src/views/rebuild.ts'
import { spawnEventStore } from '../test/support/eventstore-standin-process.ts'
import { atLeast, type Figure, median } from './figures.ts'
import { inDirectory, visits, write } from './histories.ts'

const PER_VISIT = 13
const EVENTS = 100_000
const ROUNDS = 5

/**
 * A view is rebuilt from EventStoreDB (the stand-in, a process of its own), in turns with a subscription to `$all` of
 * the client alone, which does nothing with what comes: no rebuild can be faster.
 */
export async function eventstoreRebuild(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const eventStore = await spawnEventStore()
    const log = await openEventStoreLog({ url: eventStore.url, codec: codec(eventSchemas) })
    const client = EventStoreDBClient.connectionString(eventStore.url as `esdb://${string}`)
    try {
      const events = await write(log, visits('bench', Math.ceil(EVENTS / PER_VISIT)))
      const rounds: { readonly bare: number; readonly rebuilt: number }[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const bare = await rate(events, () => subscribed(client, events))
        const views = await openEmbeddedViews(join(directory, `${round}`))
        const rebuilt = await rate(events, async () => {
          // It folds its own kind of row.
          const { events: read } = await rebuildView({ log, store: views, projection: chats as unknown as Projection })
          if (read !== events) throw new Error(`the rebuild read ${read} events, the log has ${events}`)
        })
        await views.close()
        rounds.push({ bare, rebuilt })
      }
      return [
        {
          name: 'rebuild of `chats` against `subscribeToAll` alone',
          value: median(rounds.map(({ bare, rebuilt }) => rebuilt / bare)) * 100,
          unit: '%',
          target: atLeast(60),
          note: `${Math.round(median(rounds.map(({ rebuilt }) => rebuilt)))} events/s`,
        },
      ]
    } finally {
      await log.close()
      await client.dispose()
      await eventStore.stop()
    }
  })
}

async function rate(events: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return events / ((performance.now() - started) / 1000)
}

/** Until so many events of ours have come. */
async function subscribed(client: EventStoreDBClient, events: number): Promise<void> {
  const subscription = client.subscribeToAll({ fromPosition: START })
  let came = 0
  const all = Promise.withResolvers<void>()
  subscription.on('data', ({ event }) => {
    if (event?.type.startsWith('$') === false) came++
    if (came === events) all.resolve()
  })
  subscription.on('error', all.reject)
  await all.promise
  await subscription.unsubscribe()
}
