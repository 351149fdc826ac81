import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Log } from '../../src/log/log.ts'
import { gather } from './suite-world.ts'

const CHILD = join(import.meta.dirname, 'appending-process.ts')

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'lyceum-crash-'))
})
afterEach(() => rm(path, { recursive: true }))

/** Throws what is said of damage: a process that ends leaves none. */
const open = (): Promise<Log> =>
  openEmbeddedLog({
    ...{ path, codec: codec({}), now: Date.now, onFatal: () => {} },
    notes: {
      onDamage(damage) {
        throw damage
      },
      note(level, sentence) {
        if (level === 'error') throw new Error(sentence)
      },
    },
  })

/** All that the process printed until its end. `each` is called with every line and the process. */
async function linesOf(child: ChildProcess, each: (line: string) => void = () => {}): Promise<string[]> {
  const ended = once(child, 'close')
  const lines: string[] = []
  // spawned with a pipe
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line)
    each(line)
  }
  await ended
  return lines
}

/**
 * Every acknowledged event is in the log, every stream and the whole log are without gaps, and no append is there by
 * half.
 */
async function expectWhole(log: Log, lines: readonly string[]): Promise<void> {
  const found = await gather(log.readAll())
  const ids = new Map(found.map((event) => [`${event.stream} ${event.revision}`, event.id]))
  const acknowledged = lines.filter((line) => line.startsWith('ack ')).map((line) => line.split(' '))
  const lost = acknowledged.filter(([, stream, revision, id]) => ids.get(`${stream} ${revision}`) !== id)
  expect(lost).toEqual([])
  for (const [index, { position }] of found.entries()) expect(position).toBe(BigInt(index))
  for (let writer = 0; writer < 64; writer++) {
    const revisions = (await gather(log.read(`w${writer}`))).map((event) => event.revision)
    expect(revisions).toEqual(revisions.map((_, index) => index))
    expect(revisions.length % 2).toBe(0)
  }
}

describe('embedded log, crashes', () => {
  it.each([
    ['while it writes', []],
    ['while it goes from file to file and makes their indexes', ['40000']],
  ])('loses nothing acknowledged when its process is killed %s, and has no gaps', async (_, more) => {
    const lines: string[] = []
    for (const acknowledged of [40, 333, 700]) {
      const child = spawn(process.execPath, [CHILD, path, ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
      let count = 0
      const printed = await linesOf(child, () => {
        count += 1
        if (count === acknowledged) child.kill('SIGKILL')
      })
      expect(printed.length).toBeGreaterThanOrEqual(acknowledged)
      lines.push(...printed)
      // What the killed process held is free at once, and the next round goes on with the same data.
      const log = await open()
      await expectWhole(log, lines)
      await log.close()
    }
  })

  it.skipIf(process.platform === 'win32')(
    'says once that a flush failed, rejects what waits and what comes, and keeps what it acknowledged',
    async () => {
      // The shell limits the size of any file that the process may write, which no room on the disk mends.
      const child = spawn('/bin/sh', ['-c', 'ulimit -f 4000; exec "$0" "$@"', process.execPath, CHILD, path], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stderr?.resume()
      const lines = await linesOf(child)
      expect(lines.filter((line) => !line.startsWith('ack ')).sort()).toEqual([
        'fatal',
        'refused',
        ...Array(64).fill('rejected'),
      ])
      const log = await open()
      await expectWhole(log, lines)
      expect(lines.length).toBeGreaterThan(200)
      await log.close()
    },
  )
})
