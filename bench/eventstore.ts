import { type StandinProcess, spawnEventStore } from '../test/support/eventstore-standin-process.ts'
import { type RedisServer, startRedis } from '../test/support/redis-server.ts'
import { startServer, type TestServer } from '../test/support/server.ts'
import { NO_LIMITS, of, type Round, ratio, run, type Side } from './against-relay.ts'
import { atMost, type Figure, median } from './figures.ts'
import { cpuMs } from './process-cost.ts'
import { type Load, startLoad, startProgram } from './processes.ts'

const VISITORS = 200
const AGENTS = 20
const ROUNDS = 7
const ROUND_SECONDS = 1.5
const CLUSTERS = [1, 2, 4]
/** At which a node that only listens is looked at. */
const LISTENED_PER_SECOND = 1_000

/** Some nodes of one installation: a log, views in Redis, and somebody who writes. */
interface Installation extends Side {
  readonly nodes: readonly TestServer[]
  readonly eventStore: StandinProcess
  end(): Promise<void>
}

/**
 * Lyceum on EventStoreDB (the stand-in, a process of its own) with a real Redis, beside the bare relay, in turns, as
 * `cpu` does it with the embedded log: what a message costs one node at its peak and at the relay's rate, what it asks
 * of the store, and what it costs a node that only listens. Then the same at several nodes.
 */
export async function eventstore(): Promise<readonly Figure[]> {
  const relayProgram = startProgram('relay.ts')
  const { url } = (await relayProgram.said()) as { url: string }
  const relay: Side = { pid: relayProgram.pid, load: startLoad() }
  const installations: Installation[] = []
  try {
    await ready(relay.load, [url])
    const alone = await install(1)
    installations.push(alone)
    const figures = [...(await oneNode(relay, alone))]
    await alone.end()
    for (const count of CLUSTERS.slice(1)) {
      const installation = await install(count)
      installations.push(installation)
      if (count === 2) figures.push(await listening(installation))
      figures.push(...(await several(relay, installation)))
      await installation.end()
    }
    return figures
  } finally {
    await relay.load.end()
    await Promise.all([relayProgram.end(), ...installations.map(({ end }) => end())])
  }
}

async function install(count: number): Promise<Installation> {
  const eventStore = await spawnEventStore()
  const redis: RedisServer = await startRedis()
  const env = { ...NO_LIMITS, EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url }
  const nodes = await Promise.all(Array.from({ length: count }, () => startServer({ env })))
  const load = startLoad()
  let ending: Promise<void> | undefined
  await ready(
    load,
    nodes.map((node) => node.url),
  )
  return {
    ...{ nodes, eventStore, load, pid: nodes[0]?.pid ?? 0 },
    end() {
      ending ??= (async () => {
        await load.end()
        await Promise.all(nodes.map((node) => node.stop()))
        await Promise.all([eventStore.stop(), redis.stop()])
      })()
      return ending
    },
  }
}

/** Warm: what is measured is a server that has run for a while. */
async function ready(load: Load, [url = '', ...others]: readonly string[]): Promise<void> {
  await load.open({ url, others, org: 'bench', visitors: VISITORS, agents: AGENTS })
  await load.run({ do: 'closed', seconds: ROUND_SECONDS })
}

async function oneNode(relay: Side, lyceum: Installation): Promise<readonly Figure[]> {
  const peaks = { relay: [] as Round[], lyceum: [] as Round[] }
  const before = await lyceum.eventStore.asked()
  for (let round = 0; round < ROUNDS; round++) {
    peaks.relay.push(await run(relay, { do: 'closed', seconds: ROUND_SECONDS }))
    peaks.lyceum.push(await run(lyceum, { do: 'closed', seconds: ROUND_SECONDS }))
  }
  const after = await lyceum.eventStore.asked()
  const messages = peaks.lyceum.reduce((sum, { acks }) => sum + acks, 0)
  const perSecond = Math.round(of(peaks.lyceum, 'perSecond') / 2)
  const even = { relay: [] as Round[], lyceum: [] as Round[] }
  for (let round = 0; round < ROUNDS; round++) {
    even.relay.push(await run(relay, { do: 'rate', perSecond, seconds: ROUND_SECONDS }))
    even.lyceum.push(await run(lyceum, { do: 'rate', perSecond, seconds: ROUND_SECONDS }))
  }
  const calls = (after.append - before.append + after.read - before.read) / messages
  return [
    ratio('CPU per message, each at its peak', 'cpuUs', 'µs', peaks.lyceum, peaks.relay, 4),
    ratio(`CPU per message, both at ${perSecond}/s`, 'cpuUs', 'µs', even.lyceum, even.relay, 3),
    { name: 'calls to the store per message', value: calls, unit: '', target: atMost(1.1) },
    { name: 'appended per message', value: (after.bytes - before.bytes) / messages, unit: 'bytes' },
    { name: 'acks at the peak, one node', value: of(peaks.lyceum, 'perSecond'), unit: '/s' },
    { name: 'acks at the peak, relay', value: of(peaks.relay, 'perSecond'), unit: '/s' },
    { name: `p50 of the ack at ${perSecond}/s`, value: of(even.lyceum, 'p50'), unit: 'ms' },
    { name: `p99 of the ack at ${perSecond}/s`, value: of(even.lyceum, 'p99'), unit: 'ms' },
  ]
}

/** Everybody is at the first node; the other one hears of it. */
async function listening({ nodes, eventStore: _ }: Installation): Promise<Figure> {
  const [serving, other] = nodes
  if (!serving || !other) throw new Error('two nodes are needed')
  const load = startLoad()
  try {
    await load.open({ url: serving.url, org: 'heard', visitors: VISITORS, agents: AGENTS })
    const rounds: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = cpuMs(other.pid)
      const { acks } = await load.run({ do: 'rate', perSecond: LISTENED_PER_SECOND, seconds: ROUND_SECONDS })
      rounds.push(((cpuMs(other.pid) - before) * 1_000) / acks)
    }
    const name = `CPU per message of a node that only listens, ${LISTENED_PER_SECOND}/s`
    return { name, value: median(rounds), unit: 'µs', target: atMost(100) }
  } finally {
    await load.end()
  }
}

/** A message is written at one node and mostly heard at another. */
async function several(relay: Side, { nodes, load }: Installation): Promise<readonly Figure[]> {
  const all = (): number => nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const rounds: { perSecond: number; p50: number; ratio: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { cpuUs } = await run(relay, { do: 'closed', seconds: ROUND_SECONDS })
    const before = all()
    const { acks, seconds, p50 } = await load.run({ do: 'closed', seconds: ROUND_SECONDS })
    rounds.push({ perSecond: acks / seconds, p50, ratio: ((all() - before) * 1_000) / acks / cpuUs })
  }
  const of = (what: 'perSecond' | 'p50' | 'ratio'): number => median(rounds.map((one) => one[what]))
  const note = `p50 ${of('p50').toPrecision(3)} ms; CPU of all nodes ${of('ratio').toPrecision(3)} × the relay's`
  return [{ name: `acks at the peak, ${nodes.length} nodes`, value: of('perSecond'), unit: '/s', note }]
}
