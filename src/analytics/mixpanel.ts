import type { Clock } from '../clock.ts'
import type { Log, Recorded } from '../log/log.ts'
import type { Checkpoints } from '../outbound/checkpoint.ts'
import { openWorker, type Worker } from '../outbound/worker.ts'
import { MIXPANEL_BACK_OFF } from './back-off.ts'
import { deliverer, type Observer } from './deliver.ts'
import type { MixpanelEvent } from './events.ts'
import { BATCH_EVENTS, type Import } from './import.ts'
import type { Parcel } from './parcel.ts'

export interface MixpanelOptions {
  readonly log: Log
  readonly clock: Clock
  readonly send: Import
  readonly checkpoints: Checkpoints
  /**
   * What Mixpanel is told of it, null = nothing. Rejects with PoisonEvent for one that can never be told, with anything
   * else to be asked again.
   */
  readonly eventOf: (recorded: Recorded) => Promise<MixpanelEvent | null>
  readonly observer: Observer
  /** The first event of a batch waits at most so long for others. Default 2000. */
  readonly everyMs?: number
  /** What `stop` leaves Mixpanel to take what was gathered. Default 2000. */
  readonly hurryMs?: number
}

/**
 * Tells Mixpanel what happened. A batch that is sent again has the same insert ids: Mixpanel counts each event once.
 * Several nodes on one log each tell everything. That costs requests, not truth.
 */
export function followForMixpanel({
  log,
  clock,
  send,
  checkpoints,
  eventOf,
  observer,
  everyMs = 2_000,
  hurryMs = 2_000,
}: MixpanelOptions): Worker {
  return openWorker<Parcel>({
    ...{ log, clock, checkpoints, observer, everyMs, hurryMs, backOff: MIXPANEL_BACK_OFF, batch: BATCH_EVENTS },
    begins: 'start',
    async outgoing(recorded) {
      const { stream, position, at } = recorded
      const event = await eventOf(recorded)
      return event === null ? null : { event, stream, position, at }
    },
    deliver: (batch, leaving, cut) => deliverer({ send, clock, observer, log, leaving, cut })(batch),
  })
}
