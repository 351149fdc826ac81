import { unreachable } from '../../machines/kernel.ts'
import { backOffMs } from '../back-off.ts'
import type { Clock } from '../clock.ts'
import { pause } from '../pause.ts'
import { MIXPANEL_BACK_OFF } from './back-off.ts'
import type { MixpanelEvent } from './events.ts'
import type { Import } from './import.ts'

/** An event on its way to Mixpanel, and where it came from. */
export interface Parcel {
  readonly event: MixpanelEvent
  readonly stream: string
  readonly position: bigint
  /** The log's time of the event, milliseconds since 1970. */
  readonly at: number
}

/** What happened, for figures and alarms. Must not throw. */
export interface Observer {
  sent(events: number): void
  /** Mixpanel will never take this event: it is passed over, and stays in the log. Somebody should look. */
  setAside(event: { readonly stream: string; readonly position: bigint; readonly why: string }): void
  /** `failures` in a row, this one not counted. */
  retrying(why: string, failures: number, waitMs: number): void
  /** Nobody expected it; begun again from the stored place. */
  failed(error: unknown): void
}

export interface DeliverOptions {
  readonly send: Import
  readonly clock: Clock
  readonly observer: Observer
  /** Aborted: what cannot be sent at once is left. */
  readonly leaving: AbortSignal
  /** Aborted: the request under way ends too. */
  readonly cut: AbortSignal
}

/** A Retry-After of a day is a mistake, or the end of a plan: look again after an hour. */
const LONGEST_WAIT_MS = 3_600_000
/**
 * So often an event that stands alone is refused without a reason before it counts as the reason. Some 15 seconds: a
 * mood of Mixpanel's is over by then.
 */
const REFUSALS = 5

/**
 * Resolves to true when Mixpanel has all of the batch but what was set aside, however long that takes; to false when it
 * was left. One request at a time, in the order of the batch. When Mixpanel refuses a batch without saying why, its
 * halves are tried until the guilty ones stand alone.
 */
export function deliverer({
  send,
  clock,
  observer,
  leaving,
  cut,
}: DeliverOptions): (batch: readonly Parcel[]) => Promise<boolean> {
  const setAside = ({ stream, position }: Parcel, why: string): void => observer.setAside({ stream, position, why })

  return async function deliver(batch): Promise<boolean> {
    const events = batch.map(({ event }) => event)
    let refusals = 0
    for (let failures = 0; ; failures++) {
      const answer = await send(events, cut)
      switch (answer.kind) {
        case 'taken':
          observer.sent(batch.length)
          return true
        case 'invalid': {
          const rest = batch.filter((_, index) => !answer.events.has(index))
          // `answerOf` gives indexes of the batch only.
          for (const [index, why] of answer.events) setAside(batch[index]!, why)
          if (rest.length === 0) return true
          if (!answer.restTaken) return deliver(rest)
          observer.sent(rest.length)
          return true
        }
        case 'refused':
        case 'too-large': {
          if (batch.length > 1) {
            const middle = batch.length >> 1
            return (await deliver(batch.slice(0, middle))) && deliver(batch.slice(middle))
          }
          // No event is too large, see BATCH_EVENTS: that can only be a mood.
          if (answer.kind === 'refused') refusals += 1
          if (refusals < REFUSALS) break
          setAside(batch[0]!, answer.why) // there is one
          return true
        }
        case 'later':
          break
        default:
          return unreachable(answer)
      }
      if (leaving.aborted) return false
      const asked = answer.kind === 'later' ? (answer.waitMs ?? 0) : 0
      const waitMs = Math.min(Math.max(backOffMs(failures, MIXPANEL_BACK_OFF), asked), LONGEST_WAIT_MS)
      observer.retrying(answer.why, failures, waitMs)
      await pause(clock, waitMs, leaving)
      if (leaving.aborted) return false
    }
  }
}
