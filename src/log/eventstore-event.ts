import type { AllStreamRecordedEvent, Position, RecordedEvent } from '@eventstore/db-client'
import type { Codec } from './codec.ts'
import type { Recorded } from './log.ts'
import { recordedAt } from './recorded.ts'

/** What a position looks like when a server before 22.6 reads a stream: it knows positions only when reading `$all`. */
const NO_POSITION = 2n ** 64n - 1n

export type StoredEvent = RecordedEvent | AllStreamRecordedEvent

/** Turns what the server stores into what Lyceum recorded; null for everything that somebody else wrote. */
export type FromStored = (stored: StoredEvent) => Recorded | null

/**
 * `ours` tells our streams from those of other programs in the same database. Ours are also known by their metadata:
 * JSON with `$correlationId` and `by`, which the codec writes always. Whatever fails either test never reaches the
 * codec.
 */
export function fromStored(codec: Codec, ours: (stream: string) => boolean): FromStored {
  return (stored) => {
    if (isSystem(stored) || !stored.isJson || !ours(stored.streamId) || !hasOurMeta(stored.metadata)) return null
    const place = {
      id: stored.id,
      stream: stored.streamId,
      revision: Number(stored.revision),
      position: positionOf(stored).commit,
      at: timeIn(stored.metadata) ?? stored.created.getTime(),
    }
    return recordedAt(codec, place, { type: stored.type, data: stored.data, meta: stored.metadata })
  }
}

/**
 * The metadata with the time of the event in it: the server's own is told only to readers, and its clock is not ours.
 * What was written before it stood there has the server's.
 */
export const withTime = (meta: string, at: number): string => `{"at":${at},${meta.slice(1)}`

function timeIn(meta: unknown): number | undefined {
  const { at } = meta as { readonly at?: unknown }
  return typeof at === 'number' ? at : undefined
}

/** `$metadata`, links (`$>`), statistics, `$streamDeleted`, and everything in the server's own streams. */
export const isSystem = (stored: StoredEvent): boolean => stored.type.startsWith('$') || stored.streamId.startsWith('$')

/**
 * Commit and prepare position. They are the same for our own events (they differ only in explicit transactions of the
 * old TCP protocol), which is why the port's position is the commit position alone. Throws on a server before 22.6.
 */
export function positionOf(stored: StoredEvent): Position {
  const position = stored.position
  if (position === undefined || position.commit === NO_POSITION) {
    throw new Error('this EventStoreDB does not tell positions when a stream is read: use 22.6 or newer')
  }
  return position
}

function hasOurMeta(meta: unknown): boolean {
  if (typeof meta !== 'object' || meta === null || meta instanceof Uint8Array) return false
  const { $correlationId, by } = meta as { readonly $correlationId?: unknown; readonly by?: unknown }
  return typeof $correlationId === 'string' && typeof by === 'string'
}
