import { setTimeout as pause } from 'node:timers/promises'

const ROUNDS = 8
const PAUSE_MS = 4
const WORK = Array.from({ length: 2_000 }, (_, n) => ({ n, text: `work ${n}`, half: n / 2 }))
/** What all rounds take on the quiet 2-core machine on which these tests were written, milliseconds. */
const QUIET_MS = 115

/**
 * How many times as long everything takes here and now, compared with a quiet machine: at least 1. Measured when it is
 * imported, which each test file does for itself: work that keeps a core busy, and timers that are to fire between.
 */
const slowness = Math.max(1, (await measuredMs()) / QUIET_MS)

/**
 * A lease, a grace or a bound that is `ms` on a quiet machine: as many times longer as this machine is slower. For
 * whatever somebody must manage within it; not for limits of waiting, see `patience.ts`.
 */
export const slowly = (ms: number): number => Math.ceil(ms * slowness)

async function measuredMs(): Promise<number> {
  const began = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    for (let time = 0; time < 4; time++) JSON.parse(JSON.stringify(WORK))
    await pause(PAUSE_MS)
  }
  return performance.now() - began
}
