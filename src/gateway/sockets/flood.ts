import type { Rate } from '../auth/limits.ts'
import type { Connection } from './connections.ts'
import { holdReading } from './reading.ts'
import { currentTurn, resumeInTurn } from './turns.ts'

/** Packets for each call that a person may make: acks, pongs and pings come besides. */
const PACKETS_PER_CALL = 4
const STRANGERS_PACKETS: Rate = { perSecond: 10, burst: 50 }
/** What costs as much as one packet more. Above `MAX_COUNTED` frames have limits of their own (`intake.ts`). */
const BYTES_PER_PACKET = 1024
const MAX_COUNTED = 64 * 1024
const MAX_HOLD_MS = 5_000
/** Whoever is only refused is not read for this long after each second's worth of refusals … */
const PAUSE_MS = 1_000
/** … and cut off after so many pauses. */
const MAX_PAUSES = 4
/** A quarter of the rate of calls may be refused for ever, and pauses are forgotten after so long. */
const CALM_SHARE = 4
const CALM_MS = 30_000

/**
 * What one connection may send before it is slowed down, and in the end cut off. Everything that comes on it counts in
 * one bucket. What is above its rate is not refused but left unread, in the sender's own network; of long polling,
 * where nothing can be left, twice the burst ends the connection. Whoever is refused a second's worth of calls in a row
 * pauses, each time, and is cut off the fifth time.
 */
export class Flood {
  readonly #connection: Connection
  readonly #callRate: Rate
  readonly #cutOff: (why: string) => void
  #rate = STRANGERS_PACKETS
  #tokens = STRANGERS_PACKETS.burst
  #at = performance.now()
  #turn = 0
  #inTurn = 0
  #isInLine = false
  #refusals = 0
  #pauses = 0
  #pausedUntil = 0
  #refusedAt = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** `callRate`: of the calls that one person may make; everything here follows from it. */
  constructor(connection: Connection, callRate: Rate, cutOff: (why: string) => void) {
    this.#connection = connection
    this.#callRate = callRate
    this.#cutOff = cutOff
  }

  /** Something came, this large: a packet of any kind, or a ping of the WebSocket itself. */
  came(bytes: number): void {
    const { perSecond, burst } = this.#rate
    const now = performance.now()
    const cost = 1 + Math.min(bytes, MAX_COUNTED) / BYTES_PER_PACKET
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1_000) - cost
    this.#at = now
    this.#countInTurn(cost)
    if (this.#tokens >= 0) return
    const isHeld = this.#hold(Math.min(MAX_HOLD_MS, ((burst / 4 - this.#tokens) * 1_000) / perSecond))
    if (!isHeld && this.#tokens < -burst) this.#cutOff('too many packets')
  }

  /** What it asked was refused, or was nothing that anybody knows. */
  refused(): void {
    const now = performance.now()
    if (now < this.#pausedUntil) return // it had come before the pause began
    this.#forget(now)
    if (++this.#refusals < this.#callRate.perSecond) return
    this.#refusals = 0
    this.#pausedUntil = now + PAUSE_MS
    if (++this.#pauses > MAX_PAUSES) this.#cutOff('nothing but refusals')
    else this.#hold(PAUSE_MS)
  }

  /** Whoever is refused now and then, for hours, floods nobody. */
  #forget(now: number): void {
    const elapsedS = (now - this.#refusedAt) / 1_000
    this.#refusedAt = now
    this.#refusals = Math.max(0, this.#refusals - (elapsedS * this.#callRate.perSecond) / CALM_SHARE)
    if (now - this.#pausedUntil > CALM_MS) this.#pauses = 0
  }

  /** What it asked was done. */
  done(): void {
    this.#refusals = 0
    this.#pauses = 0
  }

  /** Its owner has said who they are: from now on they have the pace of somebody who is known. */
  known(): void {
    const { perSecond, burst } = this.#callRate
    this.#rate = { perSecond: PACKETS_PER_CALL * perSecond, burst: PACKETS_PER_CALL * burst }
    this.#tokens = this.#rate.burst
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #countInTurn(cost: number): void {
    const { number, portion } = currentTurn(cost)
    if (number !== this.#turn) {
      this.#turn = number
      this.#inTurn = 0
      this.#isInLine = false
    }
    this.#inTurn += cost
    if (this.#inTurn < portion || this.#isInLine || !holdReading(this.#connection, 'turn')) return
    this.#isInLine = true
    resumeInTurn(this.#connection, 'turn')
  }

  /** False: nothing can be left unread here. */
  #hold(ms: number): boolean {
    if (this.#timer) return true
    if (!holdReading(this.#connection, 'flood')) return false
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // Its pong waited behind what was not read.
      ;(this.#connection as unknown as Insides).pingTimeoutTimer?.refresh()
      resumeInTurn(this.#connection, 'flood')
    }, ms)
    return true
  }
}

/** Ends the connection unless a pong comes; null when none is waited for. Engine.IO has no public name for it. */
interface Insides {
  readonly pingTimeoutTimer?: NodeJS.Timeout | null
}
