import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventSchemas } from '../../machines/catalogue.ts'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import type { Recorded } from '../../src/log/log.ts'
import { type EventStoreStandin, startEventStore } from '../support/eventstore-standin.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { lyceum } from './command-line.ts'

/**
 * Nodes in processes of their own on one stand-in for EventStoreDB (in this process, so that a test can do things to
 * it) and one real Redis.
 */
export interface Cluster {
  readonly nodes: readonly TestServer[]
  readonly urls: readonly string[]
  readonly log: EventStoreStandin
  readonly redis: RedisServer
  /** Everything recorded so far. The stand-in must answer. */
  recorded(): Promise<Recorded[]>
  /** Empties Redis, as FLUSHALL does. */
  flush(): Promise<void>
  /** What `lyceum views verify` prints; rejects with it when a view differs from the log or cannot be read. */
  verify(): Promise<string>
  /** What the nodes logged at this level or above, one line each. */
  logged(level: 'error' | 'fatal'): string[]
  close(): Promise<void>
}

const LEVELS = { error: 50, fatal: 60 }

export async function openCluster(size: number, more: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const [log, redis, root] = await Promise.all([
    startEventStore(),
    startRedis(),
    mkdtemp(join(tmpdir(), 'lyceum-nodes-')),
  ])
  const env = {
    EVENTSTORE_URL: log.url,
    REDIS_URL: redis.url,
    RATE_PER_PERSON: '100000',
    RATE_PER_ADDRESS: '1000000',
    ...more,
  }
  const nodes: TestServer[] = []
  const close = async (): Promise<void> => {
    for (const node of nodes) node.kill('SIGKILL')
    await Promise.all(nodes.map(({ ended }) => ended))
    log.kill()
    await redis.stop()
    await rm(root, { recursive: true, force: true })
  }
  try {
    const starting = Array.from({ length: size }, (_, i) =>
      startServer({ data: join(root, String(i)), env }).then((node) => nodes.push(node)),
    )
    await Promise.all(starting)
  } catch (error) {
    await close()
    throw error
  }
  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    log,
    redis,
    async recorded() {
      const reading = await openEventStoreLog({ url: log.url, codec: codec(eventSchemas) })
      const found: Recorded[] = []
      try {
        for await (const batch of reading.readAll()) found.push(...batch)
      } finally {
        await reading.close()
      }
      return found
    },
    async flush() {
      const socket = connect(redis.port, '127.0.0.1').end('FLUSHALL\r\nQUIT\r\n')
      await once(socket.resume(), 'close')
    },
    verify: () => lyceum(['views', 'verify'], { ...env, LYCEUM_DATA: join(root, '0') }),
    logged: (level) =>
      nodes.flatMap((node) =>
        node
          .output()
          .split('\n')
          .filter((line) => line.startsWith('{') && JSON.parse(line).level >= LEVELS[level]),
      ),
    close,
  }
}
