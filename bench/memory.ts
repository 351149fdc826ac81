import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure } from './figures.ts'
import { inDirectory } from './histories.ts'
import { startProgram } from './processes.ts'
import { openWire, type Wire } from './wire.ts'

/** So many that buffers of a fixed size (the newest events in memory) are full before it begins. */
const FIRST = 3_000
const MANY = 3_000
export const INSPECT = ['--expose-gc', '--import', join(import.meta.dirname, 'heap-on-signal.ts')]

/**
 * What a connected client that does nothing costs, after garbage collection, beside the bare relay. Rooms are asleep by
 * then.
 */
export async function memory(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const heap = { relay: join(directory, 'relay.json'), lyceum: join(directory, 'lyceum.json') }
    const relay = startProgram('relay.ts', INSPECT, { BENCH_HEAP: heap.relay })
    const { url } = (await relay.said()) as { url: string }
    const theirs = await perClient(url, relay.pid, heap.relay, async () => {})
    await relay.end()

    const env = { ...NO_LIMITS, ROOM_IDLE_MS: '500', NODE_OPTIONS: INSPECT.join(' '), BENCH_HEAP: heap.lyceum }
    const server = await startServer({ env })
    const ours = await perClient(server.url, server.pid, heap.lyceum, () => asleep(server.url))
    await server.stop()

    const beside = (what: keyof Taken): string =>
      `${(ours[what] / 1024).toFixed(1)} against ${(theirs[what] / 1024).toFixed(1)} KB`
    return [
      {
        name: 'memory per idle client (resident, without mapped files)',
        value: ours.rss / theirs.rss,
        unit: '×',
        target: atMost(1.3),
        note: beside('rss'),
      },
      {
        name: 'memory per idle client (JavaScript heap)',
        value: ours.heap / theirs.heap,
        unit: '×',
        note: beside('heap'),
      },
    ]
  })
}

/** Bytes. */
interface Taken {
  readonly rss: number
  readonly heap: number
}

/**
 * The difference that `MANY` clients make after `FIRST` have come, so that what is loaded with the first ones does not
 * count.
 */
async function perClient(url: string, pid: number, file: string, settled: () => Promise<void>): Promise<Taken> {
  const wires = await connected(url, 0, FIRST)
  await settled()
  const before = await taken(pid, file)
  wires.push(...(await connected(url, FIRST, MANY)))
  await settled()
  const after = await taken(pid, file)
  for (const wire of wires) wire.close()
  return { rss: (after.rss - before.rss) / MANY, heap: (after.heap - before.heap) / MANY }
}

async function connected(url: string, from: number, number: number): Promise<Wire[]> {
  const wires: Wire[] = []
  for (let n = from; n < from + number; n += 50) {
    const ids = Array.from({ length: 50 }, (_, i) => `idle${n + i}`)
    const connecting = ids.map(async (id) =>
      openWire(
        { url, token: await tokenFor('visitor', id, 'bench'), query: { role: 'visitor', user_id: id } },
        () => {},
      ),
    )
    wires.push(...(await Promise.all(connecting)))
  }
  return wires
}

export async function taken(pid: number, file: string): Promise<Taken> {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGWINCH')
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 20))
  const { heapUsed, external } = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage
  // Without mapped files: LMDB's pages are the kernel's cache, which takes them back when it needs them.
  const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { rss: Number(anonymous) * 1024, heap: heapUsed + external }
}

/** Waits until no room is awake. */
export async function asleep(url: string): Promise<void> {
  while (!/^lyceum_rooms_awake 0$/m.test(await (await fetch(`${url}/metrics`)).text()))
    await new Promise((resolve) => setTimeout(resolve, 50))
}
