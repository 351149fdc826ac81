import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

const ROUNDS = 5
const PAUSE_MS = 4
const WORK = Array.from({ length: 2_000 }, (_, n) => ({ n, text: `work ${n}`, half: n / 2 }))
/** What all rounds take on the quiet 2-core machine on which these tests were written, milliseconds. */
const QUIET_MS = 75
/** The load for each core that these tests make by themselves. */
const OWN_LOAD = 2

let slowness = 1

/**
 * Measures how many times as long everything takes here and now, compared with a quiet machine, and at least 1: work
 * that keeps a core busy, and timers that are to fire between. A short look may fall into a quiet moment, so that the
 * load of the last minute counts, too. `measure-slowness.ts` does so before each test file.
 */
export async function measureSlowness(): Promise<void> {
  const began = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    for (let time = 0; time < 4; time++) JSON.parse(JSON.stringify(WORK))
    await pause(PAUSE_MS)
  }
  const [loadOfLastMinute = 0] = loadavg()
  const loaded = loadOfLastMinute / availableParallelism() / OWN_LOAD
  slowness = Math.max(1, loaded, (performance.now() - began) / QUIET_MS)
}

/**
 * A lease, a grace or a bound that is `ms` on a quiet machine: as many times longer as this machine is slower. For
 * whatever somebody must manage within it; not for limits of waiting, see `patience.ts`.
 */
export const slowly = (ms: number): number => Math.ceil(ms * slowness)
