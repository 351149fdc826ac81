import { damageIn, type StreamDamaged, unusable } from './damaged.ts'
import { type Log, type ReadOptions, type Recorded, UnreadableEvent } from './log.ts'

/** What can be read of a stream, forwards. */
export interface Readable {
  readonly events: readonly Recorded[]
  /** Why that is not all of it. */
  readonly damage: StreamDamaged | undefined
}

/**
 * Leaves out what cannot be read. Rejects with StreamDamaged only when the whole stream is gone; otherwise as `read`
 * does.
 */
export async function readable(
  log: Pick<Log, 'read'>,
  stream: string,
  { from, limit }: Pick<ReadOptions<number>, 'from' | 'limit'> = {},
): Promise<Readable> {
  const events: Recorded[] = []
  let damage: StreamDamaged | undefined
  const onDamage = (found: StreamDamaged): void => {
    if (found.isGone) throw found
    damage ??= found
  }
  const range = { ...(from === undefined ? {} : { from }), ...(limit === undefined ? {} : { limit }) }
  for await (const batch of log.read(stream, { ...range, onDamage })) {
    for (const recorded of batch) {
      const unread = unreadIn(recorded)
      if (unread) onDamage(unread)
      else events.push(recorded)
    }
  }
  return { events, damage }
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
