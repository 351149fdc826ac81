import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Login {
  readonly email: string
  readonly password: string
}

/** Somebody with a token. `id` and `role` are what the token says. */
export interface Member {
  readonly token: string
  readonly id: string
  readonly org: string
  readonly role: string
}

const MAIN = join(import.meta.dirname, '../src/main.ts')
const START_MS = 60_000

/**
 * A server of our own on a free port with an empty data directory: its first start prints the log-ins. `stop` removes
 * everything.
 */
export async function ownServer(): Promise<{ url: string; logins: readonly Login[]; stop(): Promise<void> }> {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-demo-'))
  const child = spawn(process.execPath, [MAIN, 'start'], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LYCEUM_DATA: data, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Whatever ends the demo ends its server too, and takes the directory along.
  const orphan = (): void => {
    child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
  process.once('exit', orphan)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    process.removeListener('exit', orphan)
    await rm(data, { recursive: true, force: true })
  }
  try {
    const text = await new Promise<string>((resolve, reject) => {
      let heard = ''
      setTimeout(() => reject(new Error(`the server did not listen within ${START_MS} ms`)), START_MS).unref()
      void ended.then(() => reject(new Error('the server ended before it listened; what it said stands above')))
      child.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.toString()
        if (heard.includes('listens on') && heard.includes('npm run demo')) resolve(heard)
      })
    })
    const url = /listens on (\S+)/.exec(text)?.[1] ?? ''
    const logins = [...text.matchAll(/^ {2}\w+ +(\S+@\S+) +(\S+)$/gm)].map(([, email = '', password = '']) => ({
      email,
      password,
    }))
    return { url, logins, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export function parseLogin(text: string): Login {
  const [email = '', ...rest] = text.split(':')
  const password = rest.join(':')
  if (email === '' || password === '')
    throw new Error(`a log-in must be email:password, got ${JSON.stringify(`${email}:…`)}`)
  return { email, password }
}

export const logIn = (url: string, login: Login): Promise<Member> =>
  tokenOf(url, '/api/v1/auth/login', login, login.email)

export const visit = (url: string, org: string, name?: string): Promise<Member> =>
  tokenOf(
    url,
    '/api/v1/auth/visitor',
    name === undefined ? { org_id: org } : { org_id: org, name },
    name ?? 'a visitor',
  )

async function tokenOf(url: string, path: string, body: object, who: string): Promise<Member> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(
    (error: Error) => {
      throw new Error(`no server answers at ${url} (${(error.cause as Error | undefined)?.message ?? error.message})`)
    },
  )
  const answer = (await response.json().catch(() => ({}))) as {
    data?: { access_token: string }
    error?: { message: string }
  }
  if (!answer.data) throw new Error(`${who} got no token: ${response.status} ${answer.error?.message ?? ''}`)
  const token = answer.data.access_token
  // Read, not checked: it came from the server that will check it.
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sub: string
    org_id: string
    role: string
  }
  return { token, id: claims.sub, org: claims.org_id, role: claims.role }
}
