import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { chats } from '../projections/chats.ts'
import type { Projection } from '../projections/projection.ts'
import { openEmbeddedViews } from '../src/views/embedded.ts'
import { rebuildView } from '../src/views/rebuild.ts'
import { openRedisViews } from '../src/views/redis.ts'
import type { ViewStore } from '../src/views/store.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { atLeast, atMost, type Figure } from './figures.ts'
import { inDirectory, openLogIn, visits, write } from './histories.ts'
import { openWire } from './wire.ts'

const EVENTS = 1_000_000
const PER_VISIT = 13
const STARTS = 3

/**
 * What takes longer the longer the log is: rebuilding a view, and starting. One log of 10^6 events, 77,000 visits of 13
 * events.
 */
export async function million(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const log = await openLogIn(directory)
    const started = performance.now()
    const events = await write(log, visits('bench', Math.ceil(EVENTS / PER_VISIT)))
    const writing = events / ((performance.now() - started) / 1000)

    const embedded = await openEmbeddedViews(join(directory, 'rebuilt'))
    const rebuilt = await rate(log, embedded, events)
    await embedded.close()
    const redis = await startRedis()
    const remote = await openRedisViews({ url: redis.url })
    const remotely = await rate(log, remote, events)
    await remote.close()
    await redis.stop()
    await log.close()

    const missing = await start(directory, true)
    const present: number[] = []
    for (let n = 0; n < STARTS; n++) present.push(await start(directory, false))
    return [
      { name: 'rebuild of `chats`, embedded', value: rebuilt, unit: 'events/s', target: atLeast(200_000) },
      { name: 'rebuild of `chats`, Redis', value: remotely, unit: 'events/s', target: atLeast(50_000) },
      {
        name: 'start to first ack, 10^6 events, views present (slowest of 3)',
        value: Math.max(...present) / 1000,
        unit: 's',
        target: atMost(3),
      },
      { name: 'start to first ack, 10^6 events, views missing', value: missing / 1000, unit: 's', target: atMost(3) },
      { name: 'appends while the log was made (10 events per append)', value: writing, unit: 'events/s' },
    ]
  })
}

async function rate(log: Parameters<typeof rebuildView>[0]['log'], store: ViewStore, events: number): Promise<number> {
  const started = performance.now()
  // It folds its own kind of row.
  const rebuilt = await rebuildView({ log, store, projection: chats as unknown as Projection })
  if (rebuilt.events !== events) throw new Error(`the rebuild read ${rebuilt.events} events, the log has ${events}`)
  return events / ((performance.now() - started) / 1000)
}

let nth = 0

/**
 * From the start of the process to the first ack of a command, milliseconds. Leaves the views as far as the log goes.
 */
async function start(data: string, withoutViews: boolean): Promise<number> {
  if (withoutViews) await rm(join(data, 'views'), { recursive: true, force: true })
  const id = `first${nth++}`
  const token = await tokenFor('visitor', id, 'newcomers')
  const started = performance.now()
  const server = await startServer({ data })
  const { promise: acked, resolve } = Promise.withResolvers<void>()
  const wire = await openWire({ url: server.url, token, query: {} }, (bytes, from) => {
    if (bytes.toString('latin1', from, from + 2) === '30') resolve()
  })
  wire.emit('20["visitor_first_msg",{"text":"hello"}]')
  await acked
  const ms = performance.now() - started
  await viewsAt(server.url, EVENTS)
  wire.close()
  await server.stop()
  return ms
}

/** Waits until every view is true at this position of the log. */
async function viewsAt(url: string, position: number): Promise<void> {
  for (;;) {
    const page = await (await fetch(`${url}/metrics`)).text()
    const positions = [...page.matchAll(/^lyceum_view_position\{.*\} (-?\d+)/gm)].map(([, text]) => Number(text))
    if (positions.length > 0 && positions.every((at) => at >= position)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
