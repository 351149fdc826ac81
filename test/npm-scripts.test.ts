import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lockData } from '../src/log/data-lock.ts'
import { childEnv } from './support/child-env.ts'
import { eventually } from './support/lessons.ts'
import { SECRET } from './support/server.ts'

/** The scripts of package.json as the real npm runs them. */
const scratch = mkdtempSync(join(tmpdir(), 'lyceum-npm-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Script {
  readonly npm: ChildProcess
  readonly url: string
  readonly ended: Promise<number | string>
}

async function script(name: string, said: RegExp, data: string): Promise<Script> {
  const npm = spawn('npm', ['run', '--silent', name], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...childEnv, HOST: '127.0.0.1', PORT: '0', LYCEUM_DATA: data, JWT_SECRET: SECRET, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | string>((resolve) =>
    npm.once('exit', (code, signal) => resolve(code ?? signal ?? '')),
  )
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = said.exec(text)?.[1]
      if (found) resolve(found)
    }
    npm.stdout?.on('data', hear)
    npm.stderr?.on('data', hear)
    void ended.then((how) => reject(new Error(`npm ended (${how}): ${text}`)))
  })
  return { npm, url, ended }
}

const isFree = (data: string): boolean => {
  try {
    lockData(join(data, 'log')).release()
    return true
  } catch {
    return false
  }
}
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/livez`).then(
    ({ ok }) => ok,
    () => false,
  )

test('[STOP-4] SIGTERM to npm start ends the server in order, npm after it, and the data are free', async () => {
  const data = join(scratch, 'term')
  const { npm, url, ended } = await script('start', /listens on (\S+)/, data)
  expect([await answers(url), isFree(data)]).toEqual([true, false])
  npm.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect([await answers(url), isFree(data)]).toEqual([false, true])
})

test('[STOP-4] a server whose npm was killed stops by itself', async () => {
  const data = join(scratch, 'kill')
  const { npm, url } = await script('start', /listens on (\S+)/, data)
  npm.kill('SIGKILL')
  await eventually(
    () => isFree(data),
    (free) => free,
  )
  expect(await answers(url)).toBe(false)
})

test('[STOP-4] SIGTERM to npm run demo ends the demo and its server', async () => {
  const { npm, url, ended } = await script('demo', /(http:\/\/\S+:\d+)/, join(scratch, 'unused'))
  npm.kill('SIGTERM')
  expect(await ended).toBe(1)
  expect(
    await eventually(
      () => answers(url),
      (yes) => !yes,
    ),
  ).toBe(false)
})
