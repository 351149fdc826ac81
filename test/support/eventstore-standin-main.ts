// The stand-in as a program of its own, for tests with several processes: node test/support/eventstore-standin-main.ts
// [port] Prints its URL on one line when it listens; ends with its standard input, so that it never outlives the test
// that started it.
import { startEventStore } from './eventstore-standin.ts'

const server = await startEventStore({ port: Number(process.argv[2] ?? 0) })
process.stdout.write(`${server.url}\n`)
process.stdin.resume().on('end', () => process.exit(0))
