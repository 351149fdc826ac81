import type { OfflineReason, PresenceEvent } from '../../../machines/presence/events.ts'
import { PRESENCE_STREAM } from '../../../projections/online.ts'
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
  for await (const batch of log.read(`${PRESENCE_STREAM}${org}.${id}`, { backwards: true })) {
    for (const recorded of batch) {
      const event = recorded.event as PresenceEvent // of a presence's stream
      if (event.type === 'WentOffline' && event.since === since)
        return { at: event.at ?? recorded.at, reason: event.reason }
      if (event.type === 'CameOnline' && event.at <= since) return undefined
    }
  }
  return undefined
}
