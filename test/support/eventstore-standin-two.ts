// A program that appends to two servers, of which the first dies with the appends to both in flight. With `bare` it
// uses the client as it comes, otherwise our adapter. Prints how many appends to the surviving server succeeded.
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { startEventStore } from './eventstore-standin.ts'
import { PATIENCE_MS } from './patience.ts'

const APPENDS = 20
const dying = await startEventStore({ behaviour: { onAppend: () => 'lose' } })
const survivor = await startEventStore({ behaviour: { appendDelayMs: 100 } })

async function writer(url: string): Promise<(stream: string) => Promise<unknown>> {
  if (process.argv[2] === 'bare') {
    const client = EventStoreDBClient.connectionString(url)
    return (stream) => client.appendToStream(stream, jsonEvent({ type: 'Noted', data: {} }))
  }
  const log = await openEventStoreLog({
    url,
    codec: codec({}),
    patience: { attemptMs: PATIENCE_MS, totalMs: PATIENCE_MS },
  })
  const meta = { correlationId: randomUUID(), by: 'acme.ada' }
  return (stream) => log.append(stream, -1, [{ id: randomUUID(), event: { type: 'Noted' }, meta }])
}

const first = await writer(dying.url)
const second = await writer(survivor.url)
const arrived = (calls: Readonly<Record<string, number>>): number => calls.append ?? 0

void first('notes-a').catch(() => {}) // its server dies: nothing is expected of it
const appends = Array.from({ length: APPENDS }, (_, i) => second(`notes-${i}`))
// In flight with both: the calls have arrived, and the survivor takes its time to answer.
while (arrived(dying.calls) === 0 || arrived(survivor.calls) === 0) await new Promise(setImmediate)
dying.kill()
const settled = await Promise.allSettled(appends)
const succeeded = settled.filter(({ status }) => status === 'fulfilled').length
process.stdout.write(JSON.stringify({ succeeded }))
// Whatever escapes a promise must have had its chance to end the process before it ends well.
setTimeout(() => process.exit(0), 300)
