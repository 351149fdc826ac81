import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openDirectoryFiles } from '../../src/files/directory.ts'

/** A process that puts files until it is killed: eight at a time. Prints `<hash> <size>` for what was acknowledged. */
const [root = ''] = process.argv.slice(2)
const files = await openDirectoryFiles(root)

async function putForEver(): Promise<void> {
  for (;;) {
    const pieces = Array.from({ length: 1 + Math.floor(Math.random() * 8) }, () => randomBytes(16 * 1024))
    const { hash, size } = await files.put(pieces)
    writeSync(1, `${hash} ${size}\n`)
  }
}

for (let writer = 0; writer < 8; writer++) void putForEver() // a failure ends the process, and with it the test
