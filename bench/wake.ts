import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Log } from '../src/log/log.ts'
import { type Entities, openEntities } from '../src/runtime/entities.ts'
import { snapshotFiles } from '../src/runtime/snapshot-files.ts'
import { atMost, type Figure, median, quantile } from './figures.ts'
import { inDirectory, openChat, openLogIn, write } from './histories.ts'

const SHORT = { rooms: 500, length: 200 }
const LONG = { rooms: 60, length: 10_000 }
const ROUNDS = 5
const AWAKE = 5_000
/** The first wakes of a process run on code that is not compiled yet. */
const WARM = 50

/** Waking sleeping rooms one by one, out of the embedded log, and what an awake room takes. In this process. */
export async function wake(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const log = await openLogIn(directory)
    const warm = idsOf('w', WARM)
    const short = idsOf('s', SHORT.rooms)
    const long = idsOf('l', LONG.rooms)
    const many = idsOf('m', AWAKE)
    for (const [ids, length] of [
      [warm, SHORT.length],
      [short, SHORT.length],
      [long, LONG.length],
      [many, 10],
    ] as const) {
      await write(
        log,
        ids.map((id) => ({ name: `chat-${id}`, events: openChat('bench', id, length) })),
      )
    }
    const asleep = snapshotFiles(directory)
    const once = roomsOn(log, asleep)
    for (const id of long) await once.state('chat', id)
    await once.stop() // puts them to sleep, with a snapshot
    await asleep.close()

    const snapshots = snapshotFiles(directory)
    const entities = roomsOn(log, snapshots)
    await wakes(entities, warm)
    const shortMs = await wakes(entities, short)
    const longMs = await wakes(entities, long)
    const bytes = await heapPer(many, entities)
    await entities.stop()
    await snapshots.close()
    await log.close()
    return [
      {
        name: 'wake of a room of 200 events, p99',
        value: p99(shortMs),
        unit: 'ms',
        target: atMost(5),
        note: p50(shortMs),
      },
      {
        name: 'wake of a room of 10,000 events with snapshot, p99',
        value: p99(longMs),
        unit: 'ms',
        target: atMost(10),
        note: p50(longMs),
      },
      { name: 'heap per awake room', value: bytes / 1024, unit: 'KB', target: atMost(6) },
    ]
  })
}

/**
 * Of each fifth of the wakes; the median of the five, so that one moment in which the machine did something else does
 * not decide.
 */
function p99(values: readonly number[]): number {
  const size = values.length / ROUNDS
  return median(Array.from({ length: ROUNDS }, (_, n) => quantile(values.slice(n * size, (n + 1) * size), 0.99)))
}

const p50 = (values: readonly number[]): string => `p50 ${quantile(values, 0.5).toPrecision(3)} ms`

const idsOf = (prefix: string, number: number): readonly string[] =>
  Array.from({ length: number }, (_, n) => `${prefix}${String(n).padStart(31, '0')}`)

const roomsOn = (log: Log, snapshots: ReturnType<typeof snapshotFiles>): Entities =>
  openEntities({ log, snapshots, shared: false, now: Date.now, idleMs: 3_600_000 })

async function wakes(entities: Entities, ids: readonly string[]): Promise<readonly number[]> {
  const took: number[] = []
  for (const id of ids) {
    const started = performance.now()
    await entities.state('chat', id)
    took.push(performance.now() - started)
  }
  return took
}

async function heapPer(ids: readonly string[], entities: Entities): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  for (const id of ids) await entities.state('chat', id)
  collect()
  return (process.memoryUsage().heapUsed - before) / ids.length
}
