import type { ChatEvent } from '../../../machines/chat/events.ts'
import { personIn, streamName } from '../../../machines/stream.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import type { StreamDamaged } from '../../log/damaged.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { readable } from '../../log/readable.ts'

/** What is known of a chat that is damaged. */
export interface DamagedChat {
  readonly org: string
  /** After the last event before the damage; undefined when the chat's beginning cannot be read. */
  readonly row: ChatRow | undefined
  /** Its events before the damage. */
  readonly events: readonly ChatEvent[]
}

/** Undefined when nobody can tell whose it is. Rejects with the damage when all of it is gone. */
export async function damagedChat(log: Log, room: string, damage: StreamDamaged): Promise<DamagedChat | undefined> {
  if (damage.isGone) throw damage
  const { events } = await readable(log, streamName('chat', room))
  const intact = events.filter(({ revision }, i) => revision === i && revision < damage.revision)
  const row = intact.reduce<ChatRow | undefined>(chats.fold, undefined)
  const org = row?.org ?? orgIn(events)
  // Chats record no other events.
  return org === undefined ? undefined : { org, row, events: intact.map(({ event }) => event as ChatEvent) }
}

/** Whoever takes part in a chat is of its organisation. */
function orgIn(events: readonly Recorded[]): string | undefined {
  const somebody = events.find(({ meta: { by } }) => by !== 'system')
  return somebody && personIn(somebody.meta.by).org
}
