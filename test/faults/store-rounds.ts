import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { eventSchemas } from '../../machines/catalogue.ts'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { lastOf } from '../../src/log/last-of.ts'
import { type Fact, factsOf, violations } from '../support/history-checker.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { openStore, type Store } from '../support/store.ts'
import { openLoad, until } from './load.ts'

export interface StoreRounds {
  readonly rounds: number
  readonly chats: number
  readonly say?: (line: string) => void
}

export interface StoreFound {
  readonly acked: number
  /** From the end of the trouble to 50 more acks, milliseconds, of the slowest round. */
  readonly slowestMs: number
  readonly violations: readonly string[]
}

/** What was acknowledged meanwhile proves that acks go on. */
const ACKS = 50

/**
 * Two nodes on one EventStoreDB, chats in which nobody stops writing, and a store that is killed or frozen again and
 * again: everything that was acknowledged is in the log, once, in order, and was told in that order.
 */
export async function storeRounds({ rounds, chats, say = () => {} }: StoreRounds): Promise<StoreFound> {
  const [store, redis, root] = await Promise.all([openStore(), startRedis(), mkdtemp(join(tmpdir(), 'lyceum-store-'))])
  const env = {
    EVENTSTORE_URL: store.url,
    REDIS_URL: redis.url,
    RATE_PER_PERSON: '100000',
    RATE_PER_ADDRESS: '1000000',
  }
  const nodes: TestServer[] = []
  try {
    const since = await endOf(store)
    for (const name of ['a', 'b']) nodes.push(await startServer({ data: join(root, name), env }))
    const tag = `${randomBytes(4).toString('hex')}-` // a real store remembers other runs
    const urls = nodes.map(({ url }) => url)
    const load = await openLoad({ urls, chats, agents: 4, supervisors: 2, tag, paceMs: 20 })
    let slowestMs = 0
    try {
      load.start()
      for (let round = 1; round <= rounds; round++) {
        await progress(load.acked)
        const kills = Math.random() < 0.5
        await (kills ? store.kill() : store.freeze())
        await pause(200 + Math.random() * 3_000)
        await (kills ? store.start() : store.thaw())
        const began = performance.now()
        await progress(load.acked)
        const ms = performance.now() - began
        slowestMs = Math.max(slowestMs, ms)
        say(`round ${round}: ${kills ? 'killed' : 'frozen'}, ${ACKS} acks within ${Math.round(ms)} ms of its return`)
      }
      await load.pause()
      const facts = await factsIn(store, since)
      const last = facts.at(-1)?.id
      await until(() => load.supervisors.every(({ connections }) => connections.at(-1)?.pushes.at(-1)?.id === last))
      const died = nodes.filter(({ output }) => output().includes('nobody caught')).map(({ output }) => output())
      return { acked: load.acked(), slowestMs, violations: [...died, ...violations({ facts, ...load.history() })] }
    } finally {
      load.close()
    }
  } finally {
    for (const node of nodes) node.kill('SIGKILL')
    await Promise.all(nodes.map(({ ended }) => ended))
    await Promise.all([store.close(), redis.stop()])
    await rm(root, { recursive: true, force: true })
  }
}

const progress = async (acked: () => number): Promise<void> => {
  const goal = acked() + ACKS
  await until(() => acked() >= goal)
}

const openLog = ({ url }: Store) => openEventStoreLog({ url, codec: codec(eventSchemas) })

async function endOf(store: Store): Promise<bigint> {
  const log = await openLog(store)
  try {
    return (await lastOf(log))?.position ?? -1n
  } finally {
    await log.close()
  }
}

async function factsIn(store: Store, after: bigint): Promise<readonly Fact[]> {
  const log = await openLog(store)
  const facts: Fact[] = []
  try {
    const from = after < 0n ? {} : { from: after }
    for await (const batch of log.readAll(from))
      facts.push(...factsOf(batch.filter(({ position }) => position > after)))
  } finally {
    await log.close()
  }
  return facts
}
