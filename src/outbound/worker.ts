import { type BackOff, backOffMs } from '../back-off.ts'
import type { Clock, Timer } from '../clock.ts'
import { lastOf } from '../log/last-of.ts'
import { AnotherPast, type Checkpoint, type Following, type Log, LogUnavailable, type Recorded } from '../log/log.ts'
import { REPLICA_LAG_MS, standingOf } from '../log/standing.ts'
import { pause } from '../pause.ts'
import type { Checkpoints } from './checkpoint.ts'

/** What became of an event that others are to be told of. */
export interface Outgoing {
  /** The log's time of the event, milliseconds since 1970. */
  readonly at: number
}

export interface WorkerOptions<P extends Outgoing> {
  readonly log: Log
  readonly clock: Clock
  readonly checkpoints: Checkpoints
  /**
   * What others are told of it, null = nothing. Rejects with PoisonEvent for one that can never be told, with anything
   * else to be asked again.
   */
  readonly outgoing: (recorded: Recorded) => Promise<P | null>
  /** False: it was left, because of `leaving`. It must not reject, and tries until then. */
  readonly deliver: (batch: readonly P[], leaving: AbortSignal, cut: AbortSignal) => Promise<boolean>
  readonly observer: WorkerObserver
  readonly backOff: BackOff
  /** So many at a time. */
  readonly batch: number
  /** The first of a batch waits at most so long for others. */
  readonly everyMs: number
  /** What `stop` leaves the other side to take what was gathered. */
  readonly hurryMs: number
  /** Where it begins that has no stored place, or one of another log: with all that was, or with what comes. */
  readonly begins: 'start' | 'end'
}

/** What happened, for figures and alarms. Must not throw. */
export interface WorkerObserver {
  /** It can never be told: it is passed over, and stays in the log. Somebody should look. */
  setAside(event: { readonly stream: string; readonly position: bigint; readonly why: string }): void
  /** Nobody expected it; begun again from the stored place. */
  failed(error: unknown): void
}

export interface Worker {
  /** How long the oldest event that is not yet delivered has been in the log; 0 = nothing waits. */
  lagMs(): number
  /** Delivers what it has, or leaves it to the next start, from the stored place. Resolves within `hurryMs`. */
  stop(): Promise<void>
}

/** What has to be looked at once more after a crash, where there was nothing to deliver. */
const PLACE_EVERY_MS = 5_000
/** At a log that may be a replica which is behind. */
const LOOK_AGAIN_MS = 250

/**
 * Tells others what happened, at their own pace: the one worker over the log, for whatever leaves the installation. At
 * most two batches are in memory (one under way, one being gathered); while the other side does not take them the
 * following of the log simply waits, and what is appended meanwhile is read from the log when its turn comes. A crash
 * between a batch and the storing of its place delivers the batch again: whoever takes it has to know a repeat.
 *
 * Several nodes on one log each do everything.
 */
export function openWorker<P extends Outgoing>({
  log,
  clock,
  checkpoints,
  outgoing,
  deliver,
  observer,
  backOff,
  batch: size,
  everyMs,
  hurryMs,
  begins,
}: WorkerOptions<P>): Worker {
  const leaving = new AbortController()
  const cut = new AbortController()
  let gathered: P[] = []
  let underWay: readonly P[] = []
  /** The last event that was looked at; everything up to it is delivered, under way or gathered. */
  let seen: Checkpoint | null = null
  let stored: Checkpoint | null = null
  let timer: Timer | undefined
  /** To store where it has come to, when nothing had to be delivered for a while. */
  let placing: Timer | undefined
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
    placing?.cancel()
    timer = placing = undefined
    const upTo = seen
    if (left || upTo === null || upTo === stored) return
    underWay = gathered
    gathered = []
    if (underWay.length > 0 && !(await deliver(underWay, leaving.signal, cut.signal))) {
      left = true
      return
    }
    underWay = []
    try {
      await checkpoints.store(upTo)
      stored = upTo
    } catch (error) {
      observer.failed(error) // a full disk: after a crash these events are delivered again
    }
  }

  async function gather(recorded: Recorded): Promise<void> {
    const { id, stream, position } = recorded
    try {
      const one = await outgoing(recorded)
      if (one !== null) gathered.push(one)
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
      if (gathered.length >= size) await flush()
    }
    // `flush` does not reject: `deliver` and `store` answer for themselves.
    if (leaving.signal.aborted) return
    if (gathered.length > 0) timer ??= clock.after(everyMs, () => void flush())
    else placing ??= clock.after(PLACE_EVERY_MS, () => void flush())
  }

  /** Whether the log is the one that the checkpoint is of. */
  async function holds(checkpoint: Checkpoint): Promise<boolean> {
    for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
      const standing = await standingOf(log, checkpoint)
      if (standing !== 'ahead' || waitedMs >= REPLICA_LAG_MS) return standing === 'stands'
      await pause(clock, LOOK_AGAIN_MS, leaving.signal)
      if (leaving.signal.aborted) throw new LogUnavailable('the worker is leaving')
    }
  }

  async function follow(): Promise<void> {
    await sending
    gathered = []
    stored = await checkpoints.load()
    if (stored !== null && !(await holds(stored))) {
      observer.failed(new AnotherPast(stored))
      stored = null
    }
    if (stored === null && begins === 'end') await beginAtEnd()
    seen = stored
    if (leaving.signal.aborted) return
    const { promise: over, resolve, reject } = Promise.withResolvers<void>()
    const following: Following = log.follow({ after: stored ?? 'start', each, failed: reject })
    const leave = (): void => resolve()
    leaving.signal.addEventListener('abort', leave)
    await over.finally(() => {
      leaving.signal.removeEventListener('abort', leave)
      return following.stop()
    })
  }

  async function beginAtEnd(): Promise<void> {
    const last = await lastOf(log)
    if (!last) return
    stored = { position: last.position, id: last.id }
    await checkpoints.store(stored)
  }

  async function run(): Promise<void> {
    for (let failures = 0; !leaving.signal.aborted; failures++) {
      const before = stored
      await follow().catch((error) => {
        if (leaving.signal.aborted) return
        if (stored !== before) failures = 0
        observer.failed(error)
      })
      await pause(clock, backOffMs(failures, backOff), leaving.signal)
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
      placing?.cancel()
    },
  }
}

/** An event that can never be told, however often it is tried. */
export class PoisonEvent extends Error {
  override readonly name = 'PoisonEvent'
}
