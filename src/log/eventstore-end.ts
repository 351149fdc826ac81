import type { Position } from '@eventstore/db-client'
import { isSystem, positionOf, type StoredEvent } from './eventstore-event.ts'
import { PAGE, type Span } from './eventstore-pages.ts'

/** A place in `$all`; the beginning is before all places. */
export type Place = Position | 'start'

/**
 * True when everything up to `other` lies at or before `place`. Checkpoints of some servers carry a prepare position of
 * 0.
 */
export function covers(place: Place, other: Place): boolean {
  if (other === 'start') return true
  if (place === 'start') return false
  return place.commit > other.commit || (place.commit === other.commit && place.prepare >= other.prepare)
}

/** The place of the last event of `$all`, whoever wrote it. */
export async function endOfAll(read: (span: Span<Position>) => Promise<StoredEvent[]>): Promise<Place> {
  const [last] = await read({ from: 'end', backwards: true, count: 1 })
  return last === undefined ? 'start' : positionOf(last)
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
