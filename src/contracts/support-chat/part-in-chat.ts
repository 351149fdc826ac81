import type { ChatEvent } from '../../../machines/chat/events.ts'
import { isSupervising, type Party, Refusal, refuse, unreachable } from '../../../machines/kernel.ts'
import { streamName } from '../../../machines/stream.ts'
import type { Log } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'

/** How much of a chat somebody may see. */
export interface PartInChat {
  /** The last event that they may see; Infinity = whatever comes. */
  readonly upTo: number
  /** False: without what staff note about the chat among themselves (its priority). */
  readonly isInternal: boolean
}

/**
 * Who may see what of a chat: those who supervise all of it; its visitor all but what is internal; whoever serves all
 * of it, and whoever served it up to the event by which they were replaced. A chat of another organisation is answered
 * exactly like one that does not exist.
 */
export async function partInChat(
  { log, entities }: { readonly log: Log; readonly entities: Pick<Entities, 'judged'> },
  room: string,
  by: Party,
): Promise<PartInChat | Refusal> {
  const part = await entities.judged('chat', room, ({ revision, state }) => {
    const { org, visitorId, staffId } = state.context
    if (revision < 0 || org !== by.org) return refuse('no-such-chat')
    if (isSupervising(by.role)) return { upTo: Number.POSITIVE_INFINITY, isInternal: true }
    if (by.role === 'visitor')
      return visitorId === by.id ? { upTo: Number.POSITIVE_INFINITY, isInternal: false } : refuse('no-such-chat')
    return staffId === by.id ? { upTo: Number.POSITIVE_INFINITY, isInternal: true } : refuse('supervisors-only')
  })
  if (!(part instanceof Refusal) || part.code !== 'supervisors-only') return part
  const upTo = await servedUntil(log, room, by.id)
  return upTo === null ? part : { upTo, isInternal: true }
}

/** The event by which this person served last; null = they never did. */
async function servedUntil(log: Log, room: string, person: string): Promise<number | null> {
  let serving: string | null = null
  let until: number | null = null
  for await (const batch of log.read(streamName('chat', room))) {
    for (const recorded of batch) {
      const next = serverAfter(serving, recorded.event as ChatEvent) // chats record no other events
      if (serving === person && next !== person) until = recorded.revision
      serving = next
    }
  }
  return until
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
