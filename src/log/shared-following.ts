import { slice } from '../slices.ts'
import { firstAfter } from './first-after.ts'
import type { Checkpoint, Following, FollowOptions, Log, Recorded } from './log.ts'
import { NewestEvents } from './newest-events.ts'

/** At most so many events in one call of `each`. */
const BATCH = 512
/** Whoever is further behind than this follows alone until they have caught up. */
const KEPT = { number: 512, weight: 8 * 1024 * 1024 }

/**
 * The same log, followed once for all who have caught up: where the log is far away each following costs the receiving
 * and decoding of every event. Each begins alone, and goes on from what they all hear as soon as it has come that far;
 * whoever is too slow for the others is alone again.
 */
export function shareFollowing(log: Log): Log {
  const trunk = new Trunk(log)
  return {
    ...log,
    follow: (options) => new Shared(log, trunk, options),
    async close() {
      trunk.end()
      await log.close()
    },
  }
}

/** What those who have caught up hear: the newest events, as long as one of them has not taken them. */
class Trunk {
  readonly #log: Log
  readonly #members = new Set<Shared>()
  #following: Following | undefined
  readonly #newest = new NewestEvents(KEPT)
  /** Everything after it is in `#newest`. */
  #floor: Checkpoint | 'start' = 'start'

  constructor(log: Log) {
    this.#log = log
  }

  /** False for somebody who is behind what is kept: they go on alone. */
  join(member: Shared, cursor: Checkpoint | 'start'): boolean {
    if (this.#following === undefined) {
      this.#newest.clear()
      this.#floor = cursor
      this.#following = this.#log.follow({
        after: cursor,
        each: (batch) => this.#push(batch),
        failed: (error) => this.#failed(error),
      })
    } else if (isBefore(cursor, this.#floor)) return false
    this.#members.add(member)
    return true
  }

  leave(member: Shared): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return
    void this.#following?.stop()
    this.#following = undefined
    this.#newest.clear()
  }

  /** What comes after `cursor`; undefined when it is not kept any more. */
  after(cursor: Checkpoint | 'start'): readonly Recorded[] | undefined {
    if (isBefore(cursor, this.#floor)) return undefined
    const from = firstAfter(this.#newest.all, positionOf(cursor))
    return this.#newest.all.slice(from, from + BATCH)
  }

  end(): void {
    for (const member of [...this.#members]) void member.stop()
  }

  #push(batch: readonly Recorded[]): void {
    const last = this.#newest.all.at(-1)?.position
    for (const recorded of batch) if (last === undefined || recorded.position > last) this.#newest.push(recorded)
    const taken = [...this.#members].map(({ cursor }) => firstAfter(this.#newest.all, positionOf(cursor)))
    this.#floor = this.#newest.cut(Math.min(...taken)) ?? this.#floor
    for (const member of this.#members) member.wake()
  }

  #failed(error: unknown): void {
    const members = [...this.#members]
    this.#members.clear()
    this.#following = undefined
    this.#newest.clear()
    for (const member of members) member.fail(error)
  }
}

/** One following: alone, or with the others. */
class Shared implements Following {
  readonly #log: Log
  readonly #trunk: Trunk
  readonly #options: FollowOptions
  #alone: Following | undefined
  #isLive = false
  #isStopped = false
  #underWay: Promise<unknown> = Promise.resolve()
  #wake: (() => void) | undefined
  /** The last event that was delivered; undefined = nothing yet of one that begins at the end. */
  #cursor: Checkpoint | 'start' | undefined

  constructor(log: Log, trunk: Trunk, options: FollowOptions) {
    this.#log = log
    this.#trunk = trunk
    this.#options = options
    this.#cursor = options.after === 'end' ? undefined : options.after
    this.#followAlone(options.after)
  }

  get cursor(): Checkpoint | 'start' {
    return this.#cursor ?? 'start'
  }

  wake(): void {
    this.#wake?.()
  }

  fail(error: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.wake()
    this.#options.failed?.(error)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#trunk.leave(this)
    this.wake()
    await Promise.all([this.#alone?.stop(), this.#underWay])
  }

  #followAlone(after: FollowOptions['after']): void {
    this.#alone = this.#log.follow({
      after,
      each: async (batch) => {
        await this.#options.each(batch)
        this.#took(batch)
        this.#joinOthers()
      },
      caughtUp: () => {
        if (!this.#isLive) this.#options.caughtUp?.()
        this.#isLive = true
        this.#joinOthers()
      },
      failed: (error) => this.fail(error),
    })
  }

  #took(batch: readonly Recorded[]): void {
    const last = batch.at(-1)
    if (last) this.#cursor = { position: last.position, id: last.id }
  }

  #joinOthers(): void {
    if (!this.#isLive || this.#isStopped || this.#cursor === undefined) return
    if (!this.#trunk.join(this, this.#cursor)) return
    // Nothing more comes of it, and whoever calls is in a call of its own: it is not waited for.
    void this.#alone?.stop()
    this.#alone = undefined
    void this.#takePart()
  }

  async #takePart(): Promise<void> {
    await null // the call that has brought it here comes to its end first
    try {
      while (!this.#isStopped) {
        const batch = this.#trunk.after(this.cursor)
        if (batch === undefined) {
          this.#trunk.leave(this)
          this.#followAlone(this.cursor)
          return
        }
        if (batch.length === 0) {
          await new Promise<void>((resolve) => (this.#wake = resolve))
          continue
        }
        const delivered = this.#options.each(batch)
        if (delivered !== undefined) await this.#during(delivered)
        this.#took(batch)
        const pause = batch.length >= BATCH ? slice() : undefined
        if (pause) await pause
      }
    } catch (error) {
      this.#trunk.leave(this)
      this.fail(error)
    }
  }

  async #during(delivered: Promise<void>): Promise<void> {
    this.#underWay = delivered.catch(() => undefined) // whoever stops it waits, and is not told
    await delivered
  }
}

const positionOf = (place: Checkpoint | 'start'): bigint => (place === 'start' ? -1n : place.position)

const isBefore = (one: Checkpoint | 'start', other: Checkpoint | 'start'): boolean =>
  positionOf(one) < positionOf(other)
