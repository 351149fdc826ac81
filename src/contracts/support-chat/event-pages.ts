import { streamName } from '../../../machines/stream.ts'
import type { StreamDamaged } from '../../log/damaged.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { readableEvents } from '../../log/readable.ts'
import type { PartInChat } from './part-in-chat.ts'
import { eventResource } from './resources.ts'

/** Which events of a chat somebody asks for. */
export interface EventRange {
  readonly room: string
  readonly part: PartInChat
  readonly after: number
  readonly limit: number
}

/** Events as JSON, one text each. */
export interface EventPage {
  readonly events: readonly string[]
  /** The last of them that was looked at; undefined = nothing comes after it. */
  readonly next: number | undefined
  readonly damage: StreamDamaged | undefined
}

/** As much as is told at once, and then no further event is begun. */
const MAX_CHARACTERS = 1024 * 1024
/** Of a stream, what is written at once. */
const CHUNK_CHARACTERS = 64 * 1024

export async function eventPage(log: Log, range: EventRange): Promise<EventPage> {
  const { room, part, limit } = range
  const events: string[] = []
  let { damage } = part
  let last = range.after
  let count = 0
  let characters = 0
  const onDamaged = (found: StreamDamaged): void => {
    damage ??= found
  }
  for await (const recorded of eventsIn(log, { ...range, limit: limit + 1 }, onDamaged)) {
    if (count === limit || characters >= MAX_CHARACTERS) return { events, next: last, damage }
    count++
    last = recorded.revision
    if (!isShown(recorded, part)) continue
    const text = JSON.stringify(eventResource(room, recorded))
    characters += text.length
    events.push(text)
  }
  return { events, next: undefined, damage }
}

/**
 * The same as lines, read as far as they are taken. Resolves when the first of them are there, and rejects as reading
 * does.
 */
export async function eventLines(log: Log, range: EventRange): Promise<ReadableStream<Uint8Array>> {
  const lines = chunks(log, range)
  const first = await lines.next()
  async function* all(): AsyncGenerator<Uint8Array> {
    if (first.done) return
    yield first.value
    yield* lines
  }
  return ReadableStream.from(all()) as ReadableStream<Uint8Array>
}

async function* chunks(log: Log, range: EventRange): AsyncGenerator<Uint8Array, undefined> {
  let chunk = ''
  for await (const recorded of eventsIn(log, range, () => {})) {
    if (!isShown(recorded, range.part)) continue
    chunk += `${JSON.stringify(eventResource(range.room, recorded))}\n`
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield Buffer.from(chunk)
    chunk = ''
  }
  if (chunk !== '') yield Buffer.from(chunk)
}

/** As far as they may see it. */
async function* eventsIn(
  log: Log,
  { room, part: { upTo }, after, limit }: EventRange,
  onDamaged: (damage: StreamDamaged) => void,
): AsyncGenerator<Recorded> {
  for await (const recorded of readableEvents(log, streamName('chat', room), { from: after + 1, limit }, onDamaged)) {
    if (recorded.revision > upTo) return
    yield recorded
  }
}

const isShown = ({ event }: Recorded, { isInternal }: PartInChat): boolean => isInternal || event.type !== 'ChatFlagged'
