import type { ChatEvent } from '../../../machines/chat/events.ts'
import { isSupervising, type Party, Refusal, refuse, unreachable } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import type { Log } from '../../log/log.ts'
import { inPortions } from '../../log/portions.ts'
import { orDamage } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { damagedChat } from './damaged-chat.ts'
import type { IsOurs } from './own-chats.ts'

/** How much of a chat somebody may see. */
export interface PartInChat {
  /** The last event that they may see; Infinity = whatever comes. */
  readonly upTo: number
  /** False: without what staff note about the chat among themselves (its priority). */
  readonly isInternal: boolean
  /** Set: this is not all of it. */
  readonly damage?: StreamDamaged
}

export interface PartInChatParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'judged'>
  readonly isOurs: IsOurs
}

/**
 * Who may see what of a chat: those who supervise all of it; its visitor all but what is internal; whoever serves all
 * of it, and whoever served it up to the event by which they were replaced. A chat of another organisation is answered
 * exactly like one that does not exist. Of a chat whose beginning was damaged only those who supervise see what is
 * left: nobody can tell whose it was. Rejects with StreamDamaged when nothing is left.
 */
export async function partInChat(
  { log, entities, isOurs }: PartInChatParts,
  room: string,
  by: Party,
): Promise<PartInChat | Refusal> {
  if (!(await isOurs(room, by))) return refuse('no-such-chat')
  const part = await orDamage(
    entities.judged('chat', room, ({ revision, state }) =>
      revision < 0 || state.context.org !== by.org ? refuse('no-such-chat') : partOf(state.context, by),
    ),
  )
  if (part instanceof StreamDamaged) return partInDamaged(log, room, by, part)
  return servedOnce(part, by, () => chatEvents(log, room))
}

async function partInDamaged(log: Log, room: string, by: Party, damage: StreamDamaged): Promise<PartInChat | Refusal> {
  const chat = await damagedChat(log, room, damage)
  if (!chat) throw damage
  if (chat.org !== by.org) return refuse('no-such-chat')
  const { row = { visitorId: '', staffId: null }, events } = chat
  const part = await servedOnce(partOf(row, by), by, () => [events])
  return part instanceof Refusal ? part : { ...part, damage }
}

function partOf(
  { visitorId, staffId }: { readonly visitorId: string; readonly staffId: string | null },
  by: Party,
): PartInChat | Refusal {
  if (isSupervising(by.role)) return { upTo: Number.POSITIVE_INFINITY, isInternal: true }
  if (by.role === 'visitor')
    return visitorId === by.id ? { upTo: Number.POSITIVE_INFINITY, isInternal: false } : refuse('no-such-chat')
  return staffId === by.id ? { upTo: Number.POSITIVE_INFINITY, isInternal: true } : refuse('supervisors-only')
}

type Portions = AsyncIterable<readonly ChatEvent[]> | Iterable<readonly ChatEvent[]>

/** Whoever does not serve it now may have served it. */
async function servedOnce(
  part: PartInChat | Refusal,
  by: Party,
  events: () => Portions,
): Promise<PartInChat | Refusal> {
  if (!(part instanceof Refusal) || part.code !== 'supervisors-only') return part
  const upTo = await servedUntil(events(), by.id)
  return upTo === null ? part : { upTo, isInternal: true }
}

/** The event by which this person served last; null = they never did. */
async function servedUntil(portions: Portions, person: string): Promise<number | null> {
  let serving: string | null = null
  let until: number | null = null
  let revision = 0
  for await (const events of portions)
    for (const event of events) {
      const next = serverAfter(serving, event)
      if (serving === person && next !== person) until = revision
      serving = next
      revision++
    }
  return until
}

async function* chatEvents(log: Log, room: string): AsyncGenerator<readonly ChatEvent[]> {
  for await (const portion of inPortions(log, streamName('chat', room)))
    yield portion.map(({ event }) => event as ChatEvent) // chats record no other events
}

function serverAfter(before: string | null, event: ChatEvent): string | null {
  switch (event.type) {
    case 'ChatClaimed':
    case 'ChatTakenOver':
    case 'ChatTransferred':
    case 'ChatAssigned':
      return event.staffId
    case 'ChatReturned':
      return null
    case 'ChatOpened':
    case 'VisitorWrote':
    case 'StaffWrote':
    case 'ChatFlagged':
    case 'ChatClosed':
      return before
    default:
      return unreachable(event)
  }
}
