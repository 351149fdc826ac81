import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { recordIn } from '../support/data.ts'
import { startEventStore } from '../support/eventstore-standin.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { lastingPort, lyceum } from './command-line.ts'

/** An installation whose log and views can each be put back to an earlier moment, or replaced. */
export interface World {
  /** Servers that run now. */
  readonly nodes: readonly TestServer[]
  /** Ends all servers as a deployment does. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Remembers log and views as they are. */
  backUp(): Promise<void>
  /** The log as it was at `backUp`. Views stay as they are. */
  restoreLog(): Promise<void>
  /** A log of other people and other chats; views stay as they are. */
  replaceLog(): Promise<void>
  /** Views as they were at `backUp`; the log stays as it is. */
  restoreViews(): Promise<void>
  /** Log, views and whatever else there is, as they were at `backUp`. */
  restoreAll(): Promise<void>
  /** What `lyceum views verify` prints; rejects with it when one view differs. */
  verify(): Promise<string>
  close(): Promise<void>
}

/** Rates that no test reaches. */
const ENV = { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '1000000', DISCONNECT_GRACE_MS: '60000' }

/** What stands in the log that takes the place of the other: as many events as there, so that positions meet. */
const OTHERS: readonly (readonly [string, Event & Readonly<Record<string, unknown>>])[] = Array.from(
  { length: 60 },
  (_, n) => [
    `person-acme.other${n}`,
    {
      ...{ type: 'PersonIntroduced', org: 'acme', id: `other${n}`, role: 'visitor', profile: { name: `Other ${n}` } },
      ...{ issuedAt: 0, at: 1_700_000_000_000 + n },
    },
  ],
)

/** Two nodes on one stand-in for EventStoreDB and one Redis. */
export async function eventStoreWorld(): Promise<World> {
  const [store, redis, root] = await Promise.all([
    startEventStore({ port: await lastingPort() }),
    startRedis(),
    mkdtemp(join(tmpdir(), 'lyceum-past-')),
  ])
  const ports = [await lastingPort(), await lastingPort()]
  const env = { ...ENV, EVENTSTORE_URL: store.url, REDIS_URL: redis.url, LEASE_MS: '5000' }
  const nodes: TestServer[] = []
  let log = store.store.backup()
  let views: (readonly [string, Buffer])[] = []

  const world: World = {
    nodes,
    async start() {
      nodes.push(
        ...(await Promise.all(
          ports.map((port, n) => startServer({ data: join(root, String(n)), env: { ...env, PORT: String(port) } })),
        )),
      )
    },
    stop: async () => void (await Promise.all(nodes.splice(0).map((node) => node.stop()))),
    async backUp() {
      log = store.store.backup()
      views = await dumpOf(redis.port)
    },
    restoreLog: () => store.restore(log),
    async replaceLog() {
      const other = await startEventStore()
      const writing = await openEventStoreLog({ url: other.url, codec: codec(eventSchemas) })
      for (const [stream, event] of OTHERS)
        await writing.append(stream, -1, [
          { id: randomUUID(), event, meta: { correlationId: randomUUID(), by: 'system' } },
        ])
      await writing.close()
      await store.restore(other.store.backup())
      other.kill()
    },
    async restoreViews() {
      await redisCalls(redis.port, ['FLUSHALL'])
      for (const [key, dump] of views) await redisCalls(redis.port, ['RESTORE', key, '0', dump])
    },
    async restoreAll() {
      await world.restoreLog()
      await world.restoreViews()
    },
    verify: () => lyceum(['views', 'verify'], { ...env, LYCEUM_DATA: join(root, '0') }),
    async close() {
      for (const node of nodes) node.kill('SIGKILL')
      await Promise.all(nodes.map(({ ended }) => ended))
      store.kill()
      await redis.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
  return world
}

/** One node with everything in its data directory. */
export async function embeddedWorld(): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'lyceum-past-'))
  const [data, backup, other] = [join(root, 'data'), join(root, 'backup'), join(root, 'other')]
  const port = await lastingPort()
  const nodes: TestServer[] = []
  const put = async (from: string, part: string): Promise<void> => {
    await rm(join(data, part), { recursive: true, force: true })
    await cp(join(from, part), join(data, part), { recursive: true })
  }
  const start = async (): Promise<void> =>
    void nodes.push(await startServer({ data, env: { ...ENV, PORT: String(port) } }))
  const stop = async (): Promise<void> => void (await Promise.all(nodes.splice(0).map((node) => node.stop())))

  return {
    nodes,
    start,
    stop,
    async backUp() {
      await stop()
      await cp(data, backup, { recursive: true })
      await start()
    },
    restoreLog: () => put(backup, 'log'),
    async replaceLog() {
      await recordIn(other, OTHERS)
      await put(other, 'log')
    },
    restoreViews: () => put(backup, 'views'),
    restoreAll: () => put(backup, '.'),
    verify: () => lyceum(['views', 'verify'], { ...ENV, LYCEUM_DATA: data }),
    async close() {
      for (const node of nodes) node.kill('SIGKILL')
      await Promise.all(nodes.map(({ ended }) => ended))
      await rm(root, { recursive: true, force: true })
    },
  }
}

/**
 * Everything that Redis holds but leases, which are no views. In one script, so that nothing is written between two
 * keys: rows and how far they go belong together.
 */
async function dumpOf(port: number): Promise<(readonly [string, Buffer])[]> {
  const script = `local all = {}
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      all[#all + 1] = key
      all[#all + 1] = redis.call('DUMP', key)
    end
    return all`
  const [answer] = await redisCalls(port, ['EVAL', script, '0', '{lyceum:*'])
  const parts = answer as Buffer[]
  return parts.flatMap((key, n) => (n % 2 === 0 ? [[String(key), parts[n + 1] as Buffer] as const] : []))
}

/** Redis' protocol, of which this is enough: a bulk string, an array of them, a word. */
async function redisCalls(port: number, ...calls: readonly (readonly (string | Buffer)[])[]): Promise<unknown[]> {
  const socket = tcp(port, '127.0.0.1')
  for (const call of [...calls, ['QUIT']]) {
    socket.write(`*${call.length}\r\n`)
    for (const part of call) {
      socket.write(`$${Buffer.byteLength(part)}\r\n`)
      socket.write(part)
      socket.write('\r\n')
    }
  }
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  const text = Buffer.concat(chunks)
  let at = 0
  const line = (): string => {
    const end = text.indexOf('\r\n', at)
    const found = text.toString('utf8', at, end)
    at = end + 2
    return found
  }
  const value = (): unknown => {
    const head = line()
    const size = Number(head.slice(1))
    if (head.startsWith('-')) throw new Error(`Redis refused: ${head}`)
    if (head.startsWith('*')) return Array.from({ length: size }, value)
    if (!head.startsWith('$')) return head
    if (size < 0) return null
    at += size + 2
    return text.subarray(at - size - 2, at - 2)
  }
  return calls.map(value)
}
