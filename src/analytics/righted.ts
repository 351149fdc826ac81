import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import type { Parcel } from './parcel.ts'

export interface RightedOptions {
  readonly log: Pick<Log, 'follow'>
  readonly clock: Clock
  /** Aborted: nobody waits any more. */
  readonly leaving: AbortSignal
}

/** Two nodes' clocks may differ by so much without one of them being wrong. */
const APART_MS = 60_000

/**
 * What was recorded by a clock that was ahead, with the time that the log gives it: that of the first later event whose
 * clock was not, as soon as there is one. It follows from the log alone, so that a repeat is the same event. Waits for
 * that at most `withinMs`; what nothing was found for comes back as it is.
 */
export async function righted(
  parcels: readonly Parcel[],
  withinMs: number,
  { log, clock, leaving }: RightedOptions,
): Promise<readonly Parcel[]> {
  const [first] = parcels
  if (!first || leaving.aborted) return parcels
  const times = new Map<Parcel, number>()
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  const timer = clock.after(withinMs, end)
  leaving.addEventListener('abort', end)
  const following = log.follow({
    after: { position: first.position, id: first.event.properties.$insert_id },
    async each(batch) {
      for (const { position, at } of batch)
        for (const parcel of parcels)
          if (!times.has(parcel) && parcel.position < position && at < parcel.event.properties.time - APART_MS)
            times.set(parcel, at)
      if (times.size === parcels.length) end()
    },
    failed: end, // the log is away: it is looked at again with the next try
  })
  await over
  timer.cancel()
  leaving.removeEventListener('abort', end)
  await following.stop()
  return parcels.map((parcel) => {
    const time = times.get(parcel)
    if (time === undefined) return parcel
    return { ...parcel, event: { ...parcel.event, properties: { ...parcel.event.properties, time } } }
  })
}
