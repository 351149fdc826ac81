import type { Category, EventOf } from '../../../machines/catalogue.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import type { Log, Recorded } from '../../log/log.ts'

/** The event with this revision of an entity; undefined when it has none. */
export async function recordedAt<K extends Category>(
  log: Pick<Log, 'read'>,
  category: K,
  id: string,
  revision: number,
): Promise<Recorded<EventOf<K>> | undefined> {
  for await (const [found] of log.read(streamName(category, id), { from: revision, limit: 1 }))
    return found && isOf(category, found) ? (found as Recorded<EventOf<K>>) : undefined
  return undefined
}
