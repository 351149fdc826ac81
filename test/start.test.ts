import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect } from './support/client.ts'
import { run } from './support/run.ts'
import { type ServerOptions, startServer, type TestServer, tokenFor } from './support/server.ts'

/**
 * What somebody meets who starts Lyceum for the first time, and who stops it: real processes, their output and their
 * exit codes.
 */
const MAIN = join(import.meta.dirname, '../src/main.ts')
const scratch = mkdtempSync(join(tmpdir(), 'lyceum-start-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const lyceum = (args: readonly string[], env: Record<string, string> = {}) =>
  run(MAIN, args, { LYCEUM_DATA: join(scratch, 'unused'), PORT: '0', ...env })

/** A server that does not outlive its test, whatever fails. */
async function start(options: ServerOptions): Promise<TestServer> {
  const server = await startServer(options)
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const logIn = (url: string, email: string, password: string) =>
  fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })

describe('the first start', () => {
  test('prints addresses that answer and log-ins that open, and never prints them again', async () => {
    const data = join(scratch, 'first')
    const first = await start({ data })
    const said = first.output()
    for (const path of ['/livez', '/readyz', '/metrics', '/api/v1/openapi.json'])
      await expect.poll(async () => (await fetch(first.url + path)).status, { message: path }).toBe(200)
    expect(said).toContain(`log        ${data}/log`)
    const logins = [...said.matchAll(/^ {2}(admin|supervisor|agent) +(\S+@demo\.example) +(\S+)$/gm)]
    expect(logins.map(([, role]) => role)).toEqual(['admin', 'supervisor', 'agent', 'agent'])
    const [, , email = '', password = ''] = logins[0] ?? []
    expect((await logIn(first.url, email, password)).status).toBe(200)
    expect(await first.stop()).toBe(0)

    const second = await start({ data })
    expect(second.output()).not.toContain('demo.example')
    expect((await logIn(second.url, email, password)).status).toBe(200)
    expect(await second.stop()).toBe(0)
  })

  test('records nothing when the port is taken, so that no log-ins are lost', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    const data = join(scratch, 'port-taken')
    const failed = await lyceum(['start'], { PORT: String(port), LYCEUM_DATA: data })
    await new Promise((resolve) => taken.close(resolve))
    expect(failed).toMatchObject({ code: 1, out: '' })
    expect(failed.err).toBe(
      `lyceum: cannot listen on 127.0.0.1:${port}: another program listens there: stop it, or set PORT\n`,
    )

    expect(existsSync(data)).toBe(false)
  })
})

describe('SIGTERM', () => {
  test('lets commands in hand be answered, and what was answered yes is there at the next start', async () => {
    const data = join(scratch, 'drained')
    const server = await start({ data, env: { LOG_LEVEL: 'info' } })
    const visitor = await connect(server.url, { auth: { token: await tokenFor('visitor', 'v1'), protocol: 2 } })
    const [, , { room }] = (await visitor.ask('visitor_first_msg', { text: 'hello' })) as [
      boolean,
      null,
      { room: string },
    ]
    let acked = 0
    await new Promise<void>((first) => {
      for (let n = 0; n < 100; n++) {
        visitor.socket.emit('visitor_msg', { text: `${n}` }, (yes: boolean) => {
          if (yes) acked++
          first()
        })
      }
    })
    expect(await server.stop()).toBe(0)
    expect(server.output()).toContain('everything is on disk')
    visitor.close()

    const again = await start({ data })
    const headers = { Authorization: `Bearer ${await tokenFor('admin', 'a1')}` }
    const answer = await fetch(`${again.url}/api/v1/chats/${room}/events?limit=1000`, { headers })
    const { data: events } = (await answer.json()) as { data: unknown[] }
    // Whatever the server had read was answered before it went; what it had not read is neither acknowledged nor
    // recorded.
    expect(acked).toBeGreaterThan(0)
    expect(events).toHaveLength(1 + acked)
    expect(await again.stop()).toBe(0)
  })
})

describe('beside a running server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ env: { LYCEUM_DTAA: '/d', JWT_SECRET: '' } })
  })
  afterAll(() => server.stop())

  test('a LYCEUM_… variable that is none of ours was a warning, and it started', () => {
    expect(server.output()).toContain(
      'lyceum: warning: LYCEUM_DTAA is not a variable of Lyceum and is ignored, did you mean LYCEUM_DATA?',
    )
  })

  test('a second one in its data directory says whose it is, and the first goes on', async () => {
    const { code, err } = await lyceum(['start'], { LYCEUM_DATA: server.data })
    expect(code).toBe(1)
    expect(err).toMatch(/^lyceum: the data directory \S+ is in use by another Lyceum process.*set LYCEUM_DATA/)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })

  test('the command line prints a token that it takes, and nothing else', async () => {
    const { out } = await lyceum(['token', '--role', 'agent', '--org', 'acme', '--sub', 'a1'], {
      LYCEUM_DATA: server.data,
    })
    const agent = await connect(server.url, { auth: { token: out.trim() } })
    expect(await agent.told('staff_init')).toMatchObject({ online_users: [{ id: 'a1' }] })
    agent.close()
  })
})

describe('a start that cannot be says why in one line of prose', () => {
  test('when LYCEUM_DATA is a file, or below one', async () => {
    const file = join(scratch, 'a-file')
    writeFileSync(file, '')
    const [at, below] = await Promise.all(
      [file, join(file, 'data')].map((path) => lyceum(['start'], { LYCEUM_DATA: path })),
    )
    const must = 'lyceum: LYCEUM_DATA must be a directory that this process can write to, got'
    const todo = 'set it to another directory, or change its owner\n'
    expect(at).toMatchObject({ code: 1, err: `${must} "${file}": it is a file; ${todo}` })
    expect(below).toMatchObject({ code: 1, err: `${must} "${file}/data": a part of its path is a file; ${todo}` })
  })

  test.skipIf(process.getuid?.() === 0)('when LYCEUM_DATA may not be written', async () => {
    const locked = mkdtempSync(join(scratch, 'locked-'))
    chmodSync(locked, 0o555)
    const { code, err } = await lyceum(['start'], { LYCEUM_DATA: locked })
    expect(code).toBe(1)
    expect(err).toContain('permission denied')
  })

  test.skipIf(process.platform !== 'linux')(
    'when LYCEUM_DATA is on a file system that makes no directories',
    async () => {
      const { code, err } = await lyceum(['start'], { LYCEUM_DATA: '/proc/lyceum' })
      expect(code).toBe(1)
      expect(err).toContain('got "/proc/lyceum"')
    },
  )

  test('when HOST is no address of this machine', async () => {
    // 192.0.2.0/24 is nobody's: RFC 5737.
    const { code, err } = await lyceum(['start'], { HOST: '192.0.2.1', PORT: '3000' })
    expect(code).toBe(1)
    expect(err).toBe(
      'lyceum: cannot listen on 192.0.2.1:3000: this machine has no such address: set HOST to one ' +
        'of its own (127.0.0.1, 0.0.0.0 for all)\n',
    )
  })

  test('when variables are wrong: all of them at once, and where to read about them', async () => {
    const { code, out, err } = await lyceum(['start'], { PORT: 'x', LOG_LEVEL: 'loud' })
    expect(code).toBe(1)
    expect(out).toBe('')
    expect(err.split('\n')).toEqual([
      'The configuration is not usable:',
      '  - PORT must be a whole number from 0 (any free port) to 65535, got "x"',
      '  - LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, got "loud"',
      'npm start -- --help lists all variables',
      '',
    ])
  })
})

describe('the command line', () => {
  test('lists all variables under --help', async () => {
    const { code, out } = await lyceum(['start', '--help'])
    expect(code).toBe(0)
    for (const name of ['PORT', 'LYCEUM_DATA', 'EVENTSTORE_URL', 'REDIS_URL', 'JWT_SECRET', 'DISCONNECT_GRACE_MS'])
      expect(out).toContain(name)
  })

  test('names its commands when a word is none of them', async () => {
    const { code, err } = await lyceum(['strat'])
    expect(code).toBe(1)
    expect(err).toContain('there is no command "strat": there are start, token, replay, org, views')
  })
})
