import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { openDirectoryFiles } from '../../src/files/directory.ts'
import { childEnv } from '../support/child-env.ts'
import { freshData } from '../support/data.ts'
import { all, hashOf, listed } from './suite.ts'

const CHILD = join(import.meta.dirname, 'putting-process.ts')

/** Lets a process put files until so many are acknowledged, kills it, and gives what it printed until its end. */
async function putUntilKilled(root: string, acknowledged: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, root], { env: childEnv, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout }))
    if (lines.push(line) === acknowledged) child.kill('SIGKILL')
  expect(lines.length).toBeGreaterThanOrEqual(acknowledged)
  return lines
}

test('[FILE-3] a killed process leaves every acknowledged file whole, and no half one under a hash', async () => {
  const root = join(await freshData(), 'files')
  const lines: string[] = []
  for (const acknowledged of [1, 30, 77, 150]) {
    // Two at once, as two nodes on a shared directory: each starts while the other puts.
    const rounds = await Promise.all([putUntilKilled(root, acknowledged), putUntilKilled(root, acknowledged + 7)])
    lines.push(...rounds.flat())
    const files = await openDirectoryFiles(root)
    for (const line of lines) {
      const [hash = '', size] = line.split(' ')
      expect(await files.size(hash)).toBe(Number(size))
    }
    for (const hash of (await listed(files)).keys()) expect(hashOf(await all(files.read(hash)))).toBe(hash)
  }
})
