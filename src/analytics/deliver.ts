import { unreachable } from '../../machines/kernel.ts'
import { backOffMs } from '../back-off.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import { pause } from '../pause.ts'
import { MIXPANEL_BACK_OFF } from './back-off.ts'
import type { Import } from './import.ts'
import type { Parcel } from './parcel.ts'
import { righted } from './righted.ts'

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
  readonly log: Pick<Log, 'follow'>
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
 * was left. One request at a time, in the order of the batch. What it does not take because it is ahead of its clock is
 * kept, and with it all that comes after: either the log tells by then what time it was, or that is as far ahead. When
 * Mixpanel refuses a batch without saying why, its
 * halves are tried until the guilty ones stand alone.
 */
export function deliverer({
  send,
  clock,
  observer,
  log,
  leaving,
  cut,
}: DeliverOptions): (batch: readonly Parcel[]) => Promise<boolean> {
  const setAside = ({ stream, position }: Parcel, why: string): void => observer.setAside({ stream, position, why })

  /** Not now is not never: it is sent again, as of when the log says that it was, or when Mixpanel has got there. */
  const keep = async (early: readonly Parcel[], tries: number): Promise<boolean> => {
    const waitMs = backOffMs(tries, MIXPANEL_BACK_OFF)
    observer.retrying('recorded by a clock that was ahead', tries, waitMs)
    const kept = await righted(early, waitMs, { log, clock, leaving })
    return !leaving.aborted && deliver(kept, tries + 1)
  }

  /** `tries`: in a row in which these were ahead. */
  async function deliver(batch: readonly Parcel[], tries = 0): Promise<boolean> {
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
          const early = batch.filter((one, index) => answer.times.has(index) && isAhead(one, answer.now))
          for (const [index, why] of answer.events) {
            const one = batch[index]! // `answerOf` gives indexes of the batch only
            if (!early.includes(one)) setAside(one, why)
          }
          if (answer.restTaken && rest.length > 0) observer.sent(rest.length)
          else if (rest.length > 0 && !(await deliver(rest))) return false
          return early.length === 0 || keep(early, tries)
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
          const only = batch[0]! // there is one
          if (answer.kind === 'refused' && isAhead(only, answer.now)) return keep(batch, tries)
          setAside(only, answer.why)
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

  return (batch) => deliver(batch)
}

const isAhead = ({ event }: Parcel, now: number): boolean => event.properties.time > now
