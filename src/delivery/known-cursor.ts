import { eventAt } from '../log/event-at.ts'
import type { Log } from '../log/log.ts'
import { type Cursor, cursorOf, isAt } from './cursor.ts'
import type { Follower } from './follower.ts'

export interface KnownCursorOptions {
  readonly log: Pick<Log, 'readAll'>
  readonly follower: Pick<Follower, 'position' | 'until'>
}

/** Of what was sent in the place of a cursor, as it is told back. */
const MAX_SHOWN = 64

/** What a client has sent that is no cursor, in words for the client. */
export const shownCursor = (sent: unknown): string =>
  (typeof sent === 'string' ? sent : (JSON.stringify(sent) ?? '')).slice(0, MAX_SHOWN)

/** This node hears within milliseconds of what another one has told. */
const HEARD_MS = 5_000

/**
 * The cursor that a client has sent, null for the beginning. `unknown`: it is none, or none of this log as it is now
 * (architecture decision 16). `behind`: this node has not heard yet of what it tells. Rejects with LogUnavailable.
 */
export async function knownCursor(
  { log, follower }: KnownCursorOptions,
  sent: unknown,
): Promise<Cursor | null | 'unknown' | 'behind'> {
  const cursor = typeof sent === 'string' ? cursorOf(sent) : undefined
  if (cursor === null) return null
  const event = cursor && (await eventAt(log, cursor.position))
  if (!cursor || !event || !isAt(cursor, event)) return 'unknown'
  const isHeard = (): boolean => follower.position() >= cursor.position
  return isHeard() || (await follower.until(isHeard, AbortSignal.timeout(HEARD_MS))) ? cursor : 'behind'
}
