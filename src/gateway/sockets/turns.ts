import type { Connection } from './connections.ts'
import { type HoldReason, resumeReading } from './reading.ts'

/** A turn of the event loop in which packets come. */
export interface Turn {
  readonly number: number
  /** So many packets of one connection are read: what comes of the first is known before the last is read. */
  readonly portion: number
}

const PORTION = 32
/** When so many have come in one turn of all connections together, the portion of each is small. */
const MANY = 256
const SMALL_PORTION = 4
/** Connections that are read again in one turn: whoever floods waits for whoever else does, and nobody else waits. */
const RESUMED = 2

let number = 1
let packets = 0
let isEnding = false
let waiting: (readonly [Connection, HoldReason])[] = []

function end(): void {
  isEnding = false
  number++
  packets = 0
  const due = waiting.slice(0, RESUMED)
  waiting = waiting.slice(RESUMED)
  for (const [connection, why] of due) resumeReading(connection, why)
  if (waiting.length > 0) endSoon()
}

function endSoon(): void {
  if (!isEnding) setImmediate(end)
  isEnding = true
}

/** The turn of something that has just come and counts as so many packets. */
export function currentTurn(count: number): Turn {
  endSoon()
  packets += count
  return { number, portion: packets < MANY ? PORTION : SMALL_PORTION }
}

/** Reads a connection again that was held back for this reason, when it is its turn. */
export function resumeInTurn(connection: Connection, why: HoldReason): void {
  waiting.push([connection, why])
  endSoon()
}
