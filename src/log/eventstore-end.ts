import type { Position } from '@eventstore/db-client'
import { isSystem, positionOf, type StoredEvent } from './eventstore-event.ts'
import { PAGE, type Span } from './eventstore-pages.ts'
import { NoSuchPosition } from './log.ts'
import type { Standing } from './standing.ts'

/** A place in `$all`; the beginning is before all places. */
export type Place = Position | 'start'

/** A record of `$all`, whoever wrote it: where it stands, and which one it is. */
export interface Spot {
  readonly place: Position
  readonly id: string
}

export const spotOf = (event: StoredEvent): Spot => ({ place: positionOf(event), id: event.id })

/**
 * True when everything up to `other` lies at or before `place`. Checkpoints of some servers carry a prepare position of
 * 0.
 */
export function covers(place: Place, other: Place): boolean {
  if (other === 'start') return true
  if (place === 'start') return false
  return place.commit > other.commit || (place.commit === other.commit && place.prepare >= other.prepare)
}

/** The last record of `$all` before a place; null when there is none. */
export async function lastBefore(
  read: (span: Span<Position>) => Promise<StoredEvent[]>,
  from: Position | 'end',
): Promise<Spot | null> {
  const [last] = await read({ from, backwards: true, count: 1 })
  return last === undefined ? null : spotOf(last)
}

/**
 * `stands`: the log holds this very record. `ahead`: it ends before it; a replica may only be a moment behind. `other`:
 * something else stands there.
 */
export async function standingIn(
  read: (span: Span<Position>) => Promise<StoredEvent[]>,
  { place, id }: Spot,
): Promise<Standing> {
  try {
    const [there] = await read({ from: place, backwards: false, count: 1 })
    if (there?.id === id) return 'stands'
  } catch (error) {
    if (!(error instanceof NoSuchPosition)) throw error
    return 'other'
  }
  const last = await lastBefore(read, 'end')
  return covers(last?.place ?? 'start', place) ? 'other' : 'ahead'
}

/**
 * The place of the last event that a subscription without system events delivers, or `floor` when there is none after
 * it. Walks back from the end; an idle server writes statistics for days, so this may take several pages.
 */
export async function lastDeliverable(
  read: (span: Span<Position>) => Promise<StoredEvent[]>,
  floor: Place,
): Promise<Place> {
  let from: Position | 'end' = 'end'
  for (let count = 32; ; count = PAGE) {
    const events: StoredEvent[] = await read({ from, backwards: true, count })
    for (const event of events) {
      const place = positionOf(event)
      if (covers(floor, place)) return floor
      if (!isSystem(event)) return place
      from = place
    }
    if (events.length < count) return floor
  }
}
