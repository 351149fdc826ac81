import type { Recorded } from '../../machines/kernel.ts'

/**
 * How far somebody has been told, as one number: `position * 2^40 + digits of the event's id * 2^8 + notices`. As a
 * text it is `pos` on the wire. Numbers of one log stand in the log's order, so clients may compare them; the digits
 * tell an event of this log from one of another log, or of a part that a restored backup does not have (decision 0026).
 */
export interface Cursor {
  readonly position: bigint
  /** The first 32 bits of the event's id. */
  readonly digits: bigint
  /** How many of the event's notices are told; `ALL_NOTICES` = all of them. */
  readonly notices: number
}

export const ALL_NOTICES = 255
/** Before every event. */
export const START = '0'

type EventPlace = Pick<Recorded, 'id' | 'position'>

/** `notices`: how many of the event's notices are told, see `Cursor`. */
export const posOf = ({ id, position }: EventPlace, notices = ALL_NOTICES): string =>
  String((position << 40n) | (digitsOf(id) << 8n) | BigInt(Math.min(notices, ALL_NOTICES)))

/** Reads a `pos`; null = the beginning, undefined = it is none. */
export function cursorOf(pos: string): Cursor | null | undefined {
  if (pos === START || pos === '-1') return null // what releases before decision 0026 told of an empty log
  if (!/^[1-9]\d{0,39}$/.test(pos)) return undefined
  const number = BigInt(pos)
  return { position: number >> 40n, digits: (number >> 8n) & 0xffffffffn, notices: Number(number & 0xffn) }
}

/** True when the cursor was made of this event. */
export const isAt = ({ position, digits }: Cursor, event: EventPlace): boolean =>
  position === event.position && digits === digitsOf(event.id)

/** The one that has been told less. Both are cursors. */
export const earlier = (a: string, b: string): string => (isAfter(a, b) ? b : a)

/** Whether `a` has been told more than `b`. Both are cursors: decimal numbers without leading zeros. */
export const isAfter = (a: string, b: string): boolean => a.length > b.length || (a.length === b.length && a > b)

const digitsOf = (id: string): bigint => BigInt(`0x${id.slice(0, 8)}`)
