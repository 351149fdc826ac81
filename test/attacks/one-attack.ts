import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Orders } from './attacker.ts'
import type { Losses } from './attacking.ts'
import { type Honest, honest, type Latency } from './honest.ts'
import { type Watched, watched } from './server-process.ts'
import type { Attack } from './table.ts'

/** What an attack did. */
export interface Outcome {
  readonly attack: Attack
  readonly latency: Readonly<Record<'before' | 'during' | 'after', Latency>>
  readonly rssMb: { readonly before: number; readonly peak: number; readonly after: number }
  readonly died: boolean
  readonly losses: Losses | null
  /** Until the honest are served as before; null: not within `RECOVERY_S`. */
  readonly recoveryS: number | null
  readonly acked: number
  /** Why it counts as not withstood; empty: it was. */
  readonly failures: readonly string[]
}

/** Until the server's code is warm and its heap has the size that it needs. */
const WARM_MS = 3_000
const BEFORE_MS = 3_000
const TRIES = 4
const ATTACK_S = 5
const RECOVERY_S = 10
/** Below that a difference is the machine's: honest people, attackers and server share two cores. */
const NOISE_MS = 25
/** While something goes on that is let in, and costs. */
const BESIDE_WORK_MS = 500
/** What an attacker may cost, and what the heap of the server takes and gives back by itself. */
const MB_PER_ATTACKER = 50
const MB_OF_HEAP = 150
const MOST_MB = 600
/**
 * What may be left of it when it is over: V8 and malloc give back what they have when they like. After three rounds of
 * `queue` 50 MB of the heap are in use, and 500 MB resident.
 */
const LEFT_MB = 450

/** Honest people, then an attack beside them, then its end; on a server of its own. */
export async function runAttack(attack: Attack): Promise<Outcome> {
  const it = await watched()
  const people = await honest(it.server)
  const attackers = await readyAttackers() // before anything is measured: a process that starts takes a core
  try {
    return await measured(attack, it, people, attackers)
  } finally {
    people.close()
    await it.stop()
  }
}

async function measured(attack: Attack, it: Watched, people: Honest, attackers: Attackers): Promise<Outcome> {
  await pause(WARM_MS)
  const before = { latency: await quietest(people), rssMb: await it.rssMb() }
  it.takePeakMb()
  const attackedAt = performance.now()
  const { name, attackers: number } = attack
  const orders = { name, attackers: number, url: it.server.url, world: people.world, seconds: ATTACK_S }
  const losses = await attackers(orders)
  const endedAt = performance.now()
  const good = Math.max(2 * before.latency.p99, NOISE_MS)
  const recoveryS = await recovery(people, endedAt, good, it)
  const during = people.latency(attackedAt, endedAt)
  const after = people.latency(performance.now() - 2_000, performance.now() - 100)
  const rssMb = { before: before.rssMb, peak: it.takePeakMb(), after: await it.rssMb() }
  const { acked, wrong } = it.isDead() ? { acked: 0, wrong: [] } : await settled(people)
  const mayGrowMb = Math.min(MOST_MB, MB_OF_HEAP + MB_PER_ATTACKER * attack.attackers)
  const bound = attack.isRefused ? good : Math.max(good, BESIDE_WORK_MS)
  const failures = [
    ...(it.isDead() ? ['the server died'] : []),
    ...(losses === null ? ['the attackers did not come back: nothing was tried'] : []),
    ...(during.p99 > bound ? [`p99 ${Math.round(during.p99)} ms beside it, at most ${Math.round(bound)} ms`] : []),
    ...(rssMb.peak - rssMb.before > mayGrowMb ? [`${rssMb.peak - rssMb.before} MB more, at most ${mayGrowMb} MB`] : []),
    ...(rssMb.after - rssMb.before > LEFT_MB ? [`${rssMb.after - rssMb.before} MB more when it is over`] : []),
    ...(recoveryS === null ? [`not as before within ${RECOVERY_S} s`] : []),
    ...some(losses?.blamed ?? []),
    ...some(people.troubles),
    ...some(wrong),
  ]
  const latency = { before: before.latency, during, after }
  return { attack, latency, rssMb, died: it.isDead(), losses, recoveryS, acked, failures }
}

/** Without an attack. On a machine that is busy with something else it is measured again, and the best counts. */
async function quietest(people: Honest): Promise<Latency> {
  const found: Latency[] = []
  do {
    const began = performance.now()
    await pause(BEFORE_MS)
    found.push(people.latency(began, performance.now()))
    found.sort((a, b) => a.p99 - b.p99)
  } while ((found[0]?.p99 ?? 0) > NOISE_MS && found.length < TRIES)
  return found[0] ?? { p50: 0, p99: 0 }
}

/** Of many that are alike the first says enough. */
const some = (all: readonly string[]): readonly string[] =>
  all.length <= 1 ? all : [`${all[0]} (and ${all.length - 1} more)`]

const settled = (people: Honest): ReturnType<Honest['settle']> =>
  people.settle().catch((error: Error) => ({ acked: 0, wrong: [error.message] }))

/** How long it takes until the calls of one second are answered as before. */
async function recovery(people: Honest, from: number, good: number, it: Watched): Promise<number | null> {
  for (let seconds = 1; seconds <= RECOVERY_S && !it.isDead(); seconds++) {
    await pause(1_000)
    const now = performance.now()
    if (people.latency(now - 1_000, now).p99 <= good) return Math.round((now - from) / 1_000)
  }
  return null
}

/** Attacks as it is told; null: it did not come back. Once. */
export type Attackers = (orders: Orders) => Promise<Losses | null>

/** A process of its own that waits for its orders. */
export async function readyAttackers(): Promise<Attackers> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'attacker.ts'))
  const gone = once(child, 'exit')
  await Promise.race([once(child, 'message'), gone])
  return async (orders) => {
    const told = new Promise<Losses | null>((resolve) => {
      child.once('message', (losses) => resolve(losses as Losses)) // what attacker.ts sends
      child.once('exit', () => resolve(null))
    })
    child.send(orders)
    const losses = await Promise.race([told, pause((orders.seconds + 5) * 1_000, null)])
    child.kill('SIGKILL')
    await gone
    return losses
  }
}
