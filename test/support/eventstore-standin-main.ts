// The stand-in as a program of its own, for tests with several processes: node test/support/eventstore-standin-main.ts
// [port] Prints its URL on one line when it listens, and for each line on its standard input a line of JSON: what it
// was asked so far. Ends with its standard input, so that it never outlives the test that started it.
import { createInterface } from 'node:readline'
import { startEventStore } from './eventstore-standin.ts'
import type { Asked } from './eventstore-standin-process.ts'

const server = await startEventStore({ port: Number(process.argv[2] ?? 0) })
process.stdout.write(`${server.url}\n`)
createInterface(process.stdin)
  .on('line', () => {
    const { append = 0, read = 0 } = server.calls
    const bytes = server.store.all.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0)
    process.stdout.write(`${JSON.stringify({ append, read, bytes } satisfies Asked)}\n`)
  })
  .on('close', () => process.exit(0))
