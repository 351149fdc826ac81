import type { Codec, Encoded } from './codec.ts'
import { AppendTooLarge, InvalidAppend, type Proposed } from './log.ts'

/**
 * EventStoreDB's default for one append. Every adapter keeps to it, and counts as the strictest server does, so that
 * all refuse alike.
 */
const APPEND_LIMIT_BYTES = 1_048_576
/** What the time of an event adds to its metadata (`"at":1700000000000,`), whether or not an adapter keeps it there. */
const TIME_BYTES = 19
/** Names this long are a mistake. */
const NAME_LIMIT_BYTES = 512

// Lower case only: EventStoreDB answers in lower case, and ids are compared as strings.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
// Control characters are what is refused: NUL ends a key in the views' LMDB.
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * What every adapter checks before it writes anything; `encoded[i]` belongs to `events[i]`.
 * Throws InvalidAppend or AppendTooLarge.
 */
export function admit(codec: Codec, stream: string, expected: number, events: readonly Proposed[]): readonly Encoded[] {
  checkName('a stream name', stream)
  if (!Number.isSafeInteger(expected) || expected < -1) {
    throw new InvalidAppend(
      `the expected revision of ${stream} must be -1 (no stream) or a whole number from 0, got ${expected}`,
    )
  }
  if (events.length === 0) throw new InvalidAppend(`an append to ${stream} must hold at least one event, got none`)
  let sizeBytes = 0
  const encoded: Encoded[] = []
  for (const proposed of events) {
    if (!UUID.test(proposed.id))
      throw new InvalidAppend(`an event id must be a lower-case UUID, got ${JSON.stringify(proposed.id)}`)
    checkName('an event type', proposed.event.type)
    const one = codec.encode(proposed)
    sizeBytes += sizeOf(one)
    encoded.push(one)
  }
  if (sizeBytes > APPEND_LIMIT_BYTES) throw new AppendTooLarge(APPEND_LIMIT_BYTES, sizeBytes)
  return encoded
}

/** Servers up to 24.10.3 count the data alone; later ones, and KurrentDB, all of this. */
export const sizeOf = ({ type, data, meta }: Encoded): number =>
  Buffer.byteLength(data) + Buffer.byteLength(meta) + TIME_BYTES + 2 * type.length

function checkName(what: string, name: string): void {
  if (typeof name !== 'string' || name === '')
    throw new InvalidAppend(`${what} must not be empty, got ${JSON.stringify(name)}`)
  if (name.startsWith('$'))
    throw new InvalidAppend(
      `${what} must not start with "$" (reserved for the log itself), got ${JSON.stringify(name)}`,
    )
  if (name.length * 3 > NAME_LIMIT_BYTES && Buffer.byteLength(name) > NAME_LIMIT_BYTES) {
    throw new InvalidAppend(`${what} may have at most ${NAME_LIMIT_BYTES} bytes, got ${Buffer.byteLength(name)}`)
  }
  if (CONTROL.test(name) || !name.isWellFormed()) {
    throw new InvalidAppend(`${what} must be well-formed text without control characters, got ${JSON.stringify(name)}`)
  }
}
