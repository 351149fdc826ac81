import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { whereIs } from './machine-needs.ts'
import { PATIENCE_MS } from './patience.ts'

/** A real Redis of one test, on a free loopback port, that keeps nothing on disk. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends it for good and removes its directory. A second call is harmless. */
  stop(): Promise<void>
  /** SIGKILL: connections break, everything in it is gone. `restart()` brings it back. */
  kill(): Promise<void>
  /** Comes back empty on the same port, whether it was running, paused or killed; resolves when it answers. */
  restart(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

export interface RedisOptions {
  /** Default: the redis-server that a shell would start. */
  readonly binary?: string
  /** More of its command line, for example `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[]
}

/** Resolves when the server answers. Throws when the binary is missing or does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? whereIs('redis-server')
  if (binary === undefined || !existsSync(binary))
    throw new Error(`there is no ${binary ?? 'redis-server'}: see machine-needs.ts`)
  const directory = await mkdtemp(join(tmpdir(), 'lyceum-redis-'))
  const launch = (port: number) => launched(binary, port, directory, options.args ?? [])

  let { child, port } = await retried(async () => {
    const free = await freePort()
    return { child: await launch(free), port: free }
  })
  const kill = () => ended(child)

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill()
      child = await retried(() => launch(port))
    },
    async stop() {
      await kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function launched(
  binary: string,
  port: number,
  directory: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const settings = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    directory,
    ...args,
  ]
  const child = spawn(binary, settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout?.on('data', (text) => {
    said = `${said}${text}`.slice(-2_000)
  })
  killWithUs(child)
  const giveUpAt = Date.now() + PATIENCE_MS
  while (!(await answers(port, child.pid))) {
    if (isOver(child)) throw new Error(`redis-server did not start on port ${port}: ${said}`)
    if (Date.now() > giveUpAt) {
      await ended(child)
      throw new Error(`redis-server did not answer on port ${port} within ${PATIENCE_MS} ms: ${said}`)
    }
    await delay(5)
  }
  return child
}

/** The answer must come from this very process: another one may have taken the port between our look and our start. */
async function answers(port: number, pid: number | undefined): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(1_000, () => socket.destroy())
  socket.write('INFO server\r\nQUIT\r\n')
  let answer = ''
  try {
    for await (const text of socket) answer += text
  } catch {
    return false
  }
  return answer.includes(`process_id:${pid}\r\n`)
}

/**
 * A test worker may itself be killed and run no exit handler; the closing of its pipe is seen by this small watcher in
 * any case.
 */
function killWithUs(child: ChildProcess): void {
  const watcher = spawn('/bin/sh', ['-c', `read _; kill -9 ${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.once('exit', () => watcher.kill('SIGKILL'))
}

async function ended(child: ChildProcess): Promise<void> {
  if (isOver(child)) return
  const over = once(child, 'exit')
  child.kill('SIGKILL')
  await over
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('the port probe has no TCP address')
  return address.port
}

async function retried<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}
