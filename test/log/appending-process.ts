import { writeSync } from 'node:fs'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { gather, note } from './suite-world.ts'

/**
 * A process that appends until it is killed or its disk fails: 64 writers with a stream each, two events at a time.
 * Prints `ack <stream> <revision> <id>` for the last event of an acknowledged append; after a failed flush `rejected`
 * for each writer, `fatal` for the alarm, and `refused` for an append made after it.
 */
const [path = '', segmentBytes] = process.argv.slice(2)
const print = (line: string): number => writeSync(1, `${line}\n`)
const kind = (error: unknown): string => (error instanceof LogUnavailable ? '' : ` ${error}`)

const log = await openEmbeddedLog({
  path,
  codec: codec({}),
  now: Date.now,
  segmentBytes: segmentBytes === undefined ? undefined : Number(segmentBytes),
  async onFatal() {
    print('fatal')
    await log.append('after', -1, [note('x')]).catch((error: unknown) => print(`refused${kind(error)}`))
    setImmediate(() => process.exit(1))
  },
})

async function write(stream: string): Promise<void> {
  const [last] = await gather(log.read(stream, { backwards: true, limit: 1 }))
  for (let revision = last?.revision ?? -1; ; revision += 2) {
    const events = [note(revision), note('x'.repeat(300))]
    await log.append(stream, revision, events)
    print(`ack ${stream} ${revision + 2} ${events[1]?.id}`)
  }
}

for (let writer = 0; writer < 64; writer++)
  void write(`w${writer}`).catch((error: unknown) => print(`rejected${kind(error)}`))
