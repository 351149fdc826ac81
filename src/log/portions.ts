import type { StreamDamaged } from './damaged.ts'
import type { Log, Recorded, StreamOptions } from './log.ts'

/** Events that are in memory at once: some MiB, if they are as large as they may be. */
const PORTION = 64

/**
 * One stream forwards, a portion at a time and no portion before it is asked for: for readers who hold little of it, or
 * who wait between. Otherwise as `read`.
 */
export async function* inPortions(
  log: Pick<Log, 'read'>,
  stream: string,
  { from = 0, limit = Number.POSITIVE_INFINITY, onDamage, isCertain = false }: Omit<StreamOptions, 'backwards'> = {},
): AsyncGenerator<readonly Recorded[]> {
  let next = from
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, PORTION)
    let found = 0
    let isDamaged = false
    const told = onDamage && {
      onDamage(damage: StreamDamaged): void {
        isDamaged = true
        onDamage(damage)
      },
    }
    for await (const batch of log.read(stream, { from: next, limit: asked, isCertain, ...told })) {
      found += batch.length
      next = (batch.at(-1)?.revision ?? next) + 1
      yield batch
    }
    if (found === 0 || (found < asked && !isDamaged)) return
    left -= found
  }
}
