import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { childEnv } from './child-env.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
export const SECRET = 'a secret of the tests, thirty-two bytes and more'

export interface ServerOptions {
  /** Besides HOST, PORT, LYCEUM_DATA and JWT_SECRET, which the test run sets. */
  readonly env?: Readonly<Record<string, string>>
  /** A data directory that outlives this server; default: a fresh one that is removed with it. */
  readonly data?: string
}

export interface TestServer {
  readonly url: string
  readonly data: string
  readonly pid: number
  /** Everything it wrote so far: standard output and error. */
  output(): string
  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  /** SIGTERM, and its end. */
  stop(): Promise<number | string>
}

/**
 * A real server in a process of its own, on a free port. Resolves when it listens, rejects with what it said when it
 * does not.
 */
export async function startServer({ env = {}, data }: ServerOptions = {}): Promise<TestServer> {
  const directory = data ?? (await mkdtemp(join(tmpdir(), 'lyceum-')))
  const child: ChildProcess = spawn(process.execPath, ['--max-semi-space-size=64', MAIN, 'start'], {
    env: {
      ...childEnv,
      HOST: '127.0.0.1',
      PORT: '0',
      LYCEUM_DATA: directory,
      JWT_SECRET: SECRET,
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const orphan = (): void => void child.kill('SIGKILL')
  process.once('exit', orphan)
  let text = ''
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      process.removeListener('exit', orphan)
      resolve(code ?? signal ?? 'unknown')
    })
  })
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = /listens on (http:\S+)/.exec(text)
      if (found?.[1]) resolve(found[1])
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    void ended.then((how) => reject(new Error(`the server ended (${how}) before it listened:\n${text}`)))
  })
  return {
    url,
    data: directory,
    pid: child.pid ?? 0,
    output: () => text,
    kill: (signal) => void child.kill(signal),
    ended,
    async stop() {
      child.kill('SIGTERM')
      const how = await ended
      if (data === undefined) await rm(directory, { recursive: true, force: true })
      return how
    },
  }
}

/** A token as an identity provider with the tests' secret would issue it. `exp` in seconds from now. */
export function tokenFor(
  role: string,
  sub: string,
  org = 'acme',
  more: Record<string, unknown> = {},
  exp = 3600,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ org_id: org, role, name: sub, ...more })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuer('lyceum')
    .setAudience('lyceum')
    .setIssuedAt(now)
    .setExpirationTime(now + exp)
    .sign(new TextEncoder().encode(SECRET))
}
