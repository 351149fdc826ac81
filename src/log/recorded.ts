import type { Codec } from './codec.ts'
import { type StreamDamaged, unusable } from './damaged.ts'
import { type Recorded, UnreadableEvent } from './log.ts'

/** An event as an adapter stores it: its type, and data and metadata as JSON.parse gave them. */
interface Stored {
  readonly type: string
  readonly data: unknown
  readonly meta: unknown
}

/** Where an event stands, and which one it is. */
type Place = Omit<Recorded, 'event' | 'meta'>

/**
 * The event at its place. Of what this release cannot read the place alone is known: whoever looks at `event` or `meta`
 * is told why they cannot (UnreadableEvent). So one such event stops the entity, the row and the pushes of its own
 * stream, and no following and no page of the log. Throws on anything else that the codec does not take.
 */
export function recordedAt(codec: Codec, place: Place, { type, data, meta }: Stored): Recorded {
  const { id, stream, revision, position, at } = place
  try {
    const decoded = codec.decode(type, data, meta)
    return { id, stream, revision, position, at, event: decoded.event, meta: decoded.meta }
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error
    return unreadableAt(place, error.message)
  }
}

/** An event of which nothing but its place can be had. */
export function unreadableAt(
  { id, stream, revision, position, at }: Place,
  why: string,
  damage?: StreamDamaged,
): Recorded {
  const refuse = (): never => {
    const message = `event ${revision} of ${stream} cannot be read: ${why}`
    throw new UnreadableEvent(message, { cause: damage ?? unusable(stream, revision, message) })
  }
  return {
    id,
    stream,
    revision,
    position,
    at,
    get event() {
      return refuse()
    },
    get meta() {
      return refuse()
    },
  }
}
