import { backOffMs } from '../back-off.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Following, Log, Recorded } from '../log/log.ts'
import { pause } from '../pause.ts'
import { MIXPANEL_BACK_OFF } from './back-off.ts'
import { type Checkpoint, type Checkpoints, stands } from './checkpoint.ts'
import { deliverer, type Observer, type Parcel } from './deliver.ts'
import type { MixpanelEvent } from './events.ts'
import { BATCH_EVENTS, type Import } from './import.ts'

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

export interface MixpanelFollower {
  /** How long the oldest event that is not yet with Mixpanel has been in the log; 0 = nothing waits. */
  lagMs(): number
  /** Sends what it has, or leaves it to the next start, from the stored place. Resolves within `hurryMs`. */
  stop(): Promise<void>
}

/**
 * Tells Mixpanel what happened, at its own pace. At most two batches are in memory (one under way, one being gathered);
 * while Mixpanel does not take them the following of the log simply waits, and what is appended meanwhile is read from
 * the log when its turn comes. A crash between a batch and the storing of its place sends the batch again, with the
 * same insert ids: Mixpanel counts each event once.
 *
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
}: MixpanelOptions): MixpanelFollower {
  const leaving = new AbortController()
  const cut = new AbortController()
  const deliver = deliverer({ send, clock, observer, leaving: leaving.signal, cut: cut.signal })
  let gathered: Parcel[] = []
  let underWay: readonly Parcel[] = []
  /** The last event that was looked at; everything up to it is with Mixpanel, under way or gathered. */
  let seen: Checkpoint | null = null
  let stored: Checkpoint | null = null
  let timer: Timer | undefined
  let sending: Promise<void> = Promise.resolve()
  /** A batch was left: no later place may be stored. */
  let left = false

  /** Sends what is gathered, after what is under way. */
  const flush = (): Promise<void> => {
    sending = sending.then(sendGathered)
    return sending
  }

  async function sendGathered(): Promise<void> {
    timer?.cancel()
    timer = undefined
    const upTo = seen
    if (left || upTo === null || upTo === stored) return
    underWay = gathered
    gathered = []
    if (underWay.length > 0 && !(await deliver(underWay))) {
      left = true
      return
    }
    underWay = []
    try {
      await checkpoints.store(upTo)
      stored = upTo
    } catch (error) {
      observer.failed(error) // a full disk: after a crash these events are sent again, and counted once
    }
  }

  async function gather(recorded: Recorded): Promise<void> {
    const { id, stream, position, at } = recorded
    try {
      const event = await eventOf(recorded)
      if (event !== null) gathered.push({ event, stream, position, at })
    } catch (error) {
      if (!(error instanceof PoisonEvent)) throw error
      observer.setAside({ stream, position, why: error.message })
    }
    seen = { position, id }
  }

  async function each(batch: readonly Recorded[]): Promise<void> {
    for (const recorded of batch) {
      if (leaving.signal.aborted) return
      await gather(recorded)
      if (gathered.length >= BATCH_EVENTS) await flush()
    }
    // `flush` does not reject: `deliver` and `places.store` answer for themselves.
    if (!leaving.signal.aborted && gathered.length > 0) timer ??= clock.after(everyMs, () => void flush())
  }

  async function follow(): Promise<void> {
    await sending
    gathered = []
    stored = await checkpoints.load()
    if (stored !== null && !(await stands(log, stored))) {
      observer.failed(
        new Error(
          `the log has no event ${stored.id} at ${stored.position}: it is another log, and Mixpanel is told all of it`,
        ),
      )
      stored = null
    }
    seen = stored
    if (leaving.signal.aborted) return
    const { promise: over, resolve, reject } = Promise.withResolvers<void>()
    const following: Following = log.follow({ after: stored?.position ?? 'start', each, failed: reject })
    const leave = (): void => resolve()
    leaving.signal.addEventListener('abort', leave)
    await over.finally(() => {
      leaving.signal.removeEventListener('abort', leave)
      return following.stop()
    })
  }

  async function run(): Promise<void> {
    for (let failures = 0; !leaving.signal.aborted; failures++) {
      const before = stored
      await follow().catch((error) => {
        if (leaving.signal.aborted) return
        if (stored !== before) failures = 0
        observer.failed(error)
      })
      await pause(clock, backOffMs(failures, MIXPANEL_BACK_OFF), leaving.signal)
    }
  }

  const running = run()
  return {
    lagMs() {
      const oldest = underWay[0] ?? gathered[0]
      return oldest ? Math.max(0, clock.now() - oldest.at) : 0
    },
    async stop() {
      const hurry = clock.after(hurryMs, () => cut.abort())
      leaving.abort()
      await flush()
      await running
      hurry.cancel()
      timer?.cancel()
    },
  }
}

/** An event that can never be told, however often it is tried. */
export class PoisonEvent extends Error {
  override readonly name = 'PoisonEvent'
}
