import { type Recorded, type Role, unreachable } from '../machines/kernel.ts'
import type { PresenceEvent } from '../machines/presence/events.ts'
import { padded } from './padded.ts'
import { projectionOf } from './projection.ts'

/**
 * Somebody who is here, or whose connection was lost so recently that they still count as here. Times are milliseconds
 * since 1970.
 */
export type OnlineRow = {
  readonly seq: number
  readonly role: Role
  readonly since: number
  /** Position of the event with which this presence began, so padded that text order is log order. */
  readonly cameAt: string
  /** The latest loss of connection within this presence; `backAt` is null as long as it lasts. */
  readonly loss?: { readonly at: number; readonly backAt: number | null }
} & ({ readonly state: 'online' } | { readonly state: 'lost'; readonly until: number })

/** Key `<org>.<id>`. Those who are offline have no row. */
export const online = projectionOf<OnlineRow, 'presence'>('presence', {
  name: 'online',
  version: 3,
  fold,
  index: (person) => [`online/${person.replace('.', '/')}`],
})

function fold(
  row: OnlineRow | undefined,
  { event, revision: seq, stream, at, position }: Recorded<PresenceEvent>,
): OnlineRow | undefined {
  switch (event.type) {
    case 'CameOnline':
      return { seq, role: event.role, since: event.at, cameAt: padded(position), state: 'online' }
    case 'WentOffline':
      return undefined
    case 'ConnectionLost':
    case 'CameBack':
      if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} without being online`)
      // Recorded without a time in the first days of Lyceum: then the log's own time is as good.
      if (event.type === 'CameBack') {
        const loss = row.loss === undefined ? {} : { loss: { at: row.loss.at, backAt: event.at ?? at } }
        return { seq, role: event.role, since: row.since, cameAt: row.cameAt, ...loss, state: 'online' }
      }
      return {
        seq,
        role: row.role,
        since: row.since,
        cameAt: row.cameAt,
        loss: { at: event.at ?? at, backAt: null },
        state: 'lost',
        until: event.until,
      }
    default:
      return unreachable(event)
  }
}
