import { damageIn, type StreamDamaged, unusable } from './damaged.ts'
import { type Log, type ReadOptions, type Recorded, UnreadableEvent } from './log.ts'
import { inPortions } from './portions.ts'

/** What can be read of a stream, forwards. */
export interface Readable {
  readonly events: readonly Recorded[]
  /** Why that is not all of it. */
  readonly damage: StreamDamaged | undefined
}

type Range = Pick<ReadOptions<number>, 'from' | 'limit'>

/**
 * Leaves out what cannot be read. Rejects with StreamDamaged only when the whole stream is gone; otherwise as `read`
 * does.
 */
export async function readable(log: Pick<Log, 'read'>, stream: string, range: Range = {}): Promise<Readable> {
  const events: Recorded[] = []
  let damage: StreamDamaged | undefined
  const onDamaged = (found: StreamDamaged): void => {
    damage ??= found
  }
  for await (const recorded of readableEvents(log, stream, range, onDamaged)) events.push(recorded)
  return { events, damage }
}

/** The same, event by event, for readers who may stop: little of it is in memory at once. */
export async function* readableEvents(
  log: Pick<Log, 'read'>,
  stream: string,
  range: Range,
  onDamaged: (damage: StreamDamaged) => void,
): AsyncGenerator<Recorded> {
  const onDamage = (found: StreamDamaged): void => {
    if (found.isGone) throw found
    onDamaged(found)
  }
  for await (const portion of inPortions(log, stream, { ...range, onDamage })) {
    for (const recorded of portion) {
      const unread = unreadIn(recorded)
      if (unread) onDamage(unread)
      else yield recorded
    }
  }
}

function unreadIn(recorded: Recorded): StreamDamaged | undefined {
  try {
    void recorded.event
    return undefined
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error
    return damageIn(error) ?? unusable(recorded.stream, recorded.revision, error)
  }
}

/** For readers to whom a part is better than nothing; whoever decides on the stream says that it is damaged. */
export const PARTLY = { onDamage: (): void => {} }
