import { Refusal } from '../../machines/kernel.ts'
import { type BackOff, backOffMs } from '../back-off.ts'
import type { Clock } from '../clock.ts'
import { pause } from '../pause.ts'

/**
 * Asks until it is granted: what a worker has taken on is not lost to a moment in which it is refused. What is damaged
 * is passed over: it must not hold up the others. False: left.
 */
export async function insist(
  ask: () => Promise<object>,
  { clock, backOff, leaving }: { readonly clock: Clock; readonly backOff: BackOff; readonly leaving: AbortSignal },
): Promise<boolean> {
  for (let failures = 0; ; failures++) {
    const answer = await ask()
    if (!(answer instanceof Refusal) || answer.code === 'damaged') return true
    if (leaving.aborted) return false
    await pause(clock, backOffMs(failures, backOff), leaving)
    if (leaving.aborted) return false
  }
}
