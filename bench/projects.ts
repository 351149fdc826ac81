import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { type Client, connect } from '../test/support/client.ts'
import { startServer, type TestServer } from '../test/support/server.ts'
import { type Studio, studio } from '../test/support/studio.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median, quantile } from './figures.ts'
import { cpuMs, quiet } from './process-cost.ts'
import { startProgram } from './processes.ts'

const PROJECTS = 20
const MEMBERS = 5
const ROUNDS = 5
const ROUND_MS = 2_000
const MIB = 1024 * 1024

interface Talker {
  readonly client: Client
  readonly project: number
}

/**
 * What a message in a project costs beside the bare relay, in turns: everybody has one under way, and all five who have
 * joined its project hear it.
 */
export async function projects(): Promise<readonly Figure[]> {
  const relay = startProgram('relay.ts')
  const { url } = (await relay.said()) as { url: string }
  const server = await startServer({ env: NO_LIMITS })
  const it = studio(server)
  try {
    const theirs = await relayed(url)
    const ours = await inProjects(it)
    const sides = { relay: [] as number[], lyceum: [] as number[] }
    for (let round = 0; round <= ROUNDS; round++) {
      const [relayed, done] = [await costOf(relay.pid, theirs), await costOf(server.pid, ours)]
      if (round === 0) continue // warm
      sides.relay.push(relayed)
      sides.lyceum.push(done)
    }
    for (const { client } of theirs) client.close()
    const ratios = sides.lyceum.map((us, n) => us / (sides.relay[n] ?? Number.NaN))
    const note = `${median(sides.lyceum).toFixed(0)} against ${median(sides.relay).toFixed(0)} µs`
    return [
      {
        name: 'CPU per message in a project, each at its peak',
        value: median(ratios),
        unit: '×',
        target: atMost(2),
        note,
      },
    ]
  } finally {
    it.close()
    await Promise.all([relay.end(), server.stop()])
  }
}

async function relayed(url: string): Promise<Talker[]> {
  const talkers: Talker[] = []
  for (let n = 0; n < PROJECTS * MEMBERS; n++) {
    const project = 1 + (n % PROJECTS)
    const client = await connect(url, { query: { role: 'agent', user_id: `u${n}` } })
    await client.ask('join_project', { project_id: project })
    talkers.push({ client, project })
  }
  return talkers
}

async function inProjects(it: Studio): Promise<Talker[]> {
  const talkers: Talker[] = []
  for (let n = 0; n < PROJECTS; n++) {
    const ids = Array.from({ length: MEMBERS }, (_, m) => `p${n}m${m}`)
    const [owner = '', ...others] = ids
    const project = await it.project(`P${n}`, owner, ...others)
    for (const id of ids) {
      const client = await it.socket(id)
      await client.ask('join_project', { project_id: project })
      talkers.push({ client, project })
    }
  }
  return talkers
}

/** Microseconds of the server's CPU for a message that was acknowledged. */
async function costOf(pid: number, talkers: readonly Talker[]): Promise<number> {
  const before = cpuMs(pid)
  const until = performance.now() + ROUND_MS
  let acks = 0
  await Promise.all(
    talkers.map(async ({ client, project }) => {
      while (performance.now() < until) {
        await client.ask('send_message', { project_id: project, content: 'The quick brown fox jumps over the dog.' })
        acks++
      }
    }),
  )
  return ((cpuMs(pid) - before) * 1000) / acks
}

const UPLOADS = 100

/** A hundred files of 5 MiB at once: what they take, and how long others wait meanwhile. */
export async function uploads(): Promise<readonly Figure[]> {
  const server = await startServer({ env: NO_LIMITS })
  const it = studio(server)
  try {
    const ids = Array.from({ length: UPLOADS }, (_, n) => `up${n}`)
    const project = await it.project('Files', 'owen', ...ids)
    const other = await it.project('Other', 'eve')
    const eve = await it.socket('eve')
    const senders = await Promise.all(ids.map((id) => it.socket(id)))
    await quiet(server)
    const before = rssMib(server)
    let most = before
    const sampling = setInterval(() => (most = Math.max(most, rssMib(server))), 20)
    const waits: number[] = []
    let isOver = false
    const others = (async () => {
      while (!isOver) {
        const asked = performance.now()
        await eve.ask('send_message', { project_id: other, content: 'hi' })
        waits.push(performance.now() - asked)
        await new Promise((passed) => setTimeout(passed, 5))
      }
    })()
    const started = performance.now()
    const files = senders.map((_, n) => Buffer.alloc(5 * MIB, `file ${n} `).toString('base64'))
    const answers = await Promise.all(
      senders.map((client, n) =>
        client.socket
          .timeout(120_000)
          .emitWithAck('send_message', { project_id: project, file_name: 'a.txt', file_base64: files[n] }),
      ),
    )
    const seconds = (performance.now() - started) / 1_000
    isOver = true
    await others
    clearInterval(sampling)
    return [
      {
        name: `${UPLOADS} files of 5 MiB at once: resident memory`,
        value: most - before,
        unit: 'MiB',
        target: atMost(300),
      },
      { name: 'of them refused', value: answers.filter((ok) => ok !== true).length, unit: '', target: atMost(0) },
      { name: 'until all were acknowledged', value: seconds, unit: 's' },
      {
        name: 'p99 of others’ acks meanwhile',
        value: quantile(waits, 0.99),
        unit: 'ms',
        note: `p50 ${median(waits).toFixed(1)} ms`,
      },
    ]
  } finally {
    it.close()
    await server.stop()
  }
}

const STREAMS = 2_000

/** What an open stream of events costs that nothing happens on. */
export async function streams(): Promise<readonly Figure[]> {
  const server = await startServer({ env: NO_LIMITS })
  const it = studio(server)
  try {
    const open = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 50)
        await Promise.all(
          Array.from({ length: 50 }, async (_, more) => {
            const token = await it.token('agent', `reader${n + more}`)
            await new Promise<void>((opened, failed) => {
              const request = get(`${server.url}/api/v1/users/stream/${token}`, { agent: false }, (response) => {
                response.resume()
                response.statusCode === 200 ? opened() : failed(new Error(`${response.statusCode}`))
              })
              request.on('error', failed)
            })
          }),
        )
    }
    await open(0, STREAMS)
    await quiet(server)
    const before = rssMib(server)
    await open(STREAMS, 2 * STREAMS)
    await quiet(server)
    const each = ((rssMib(server) - before) * 1024) / STREAMS
    return [
      {
        name: `memory per open stream, of ${STREAMS} more`,
        value: each,
        unit: 'KiB',
        note: 'resident, without mapped files',
      },
    ]
  } finally {
    it.close()
    server.kill('SIGKILL') // two thousand connections of this process are no part of what is measured
    await server.ended
  }
}

const rssMib = ({ pid }: Pick<TestServer, 'pid'>): number =>
  Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
