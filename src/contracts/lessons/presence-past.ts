import type { OfflineReason } from '../../../machines/presence/events.ts'
import { isOf, personName, streamName } from '../../../machines/stream.ts'
import type { Log } from '../../log/log.ts'

/** How a presence ended; `at` in milliseconds since 1970, for a lost connection the time of the loss. */
export interface EndOfPresence {
  readonly at: number
  readonly reason: OfflineReason
}

/** The end of the presence of this person that began at `since`; undefined when it goes on, or was never recorded. */
export async function endOfPresence(
  log: Log,
  org: string,
  id: string,
  since: number,
): Promise<EndOfPresence | undefined> {
  for await (const batch of log.read(streamName('presence', personName({ org, id })), { backwards: true })) {
    for (const recorded of batch) {
      if (!isOf('presence', recorded)) continue
      const { event } = recorded
      if (event.type === 'WentOffline' && event.since === since)
        return { at: event.at ?? recorded.at, reason: event.reason }
      if (event.type === 'CameOnline' && event.at <= since) return undefined
    }
  }
  return undefined
}
