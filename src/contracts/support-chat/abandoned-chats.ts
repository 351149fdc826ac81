import type { ChatEvent } from '../../../machines/chat/events.ts'
import { type Party, type Recorded, Refusal } from '../../../machines/kernel.ts'
import type { PresenceEvent } from '../../../machines/presence/events.ts'
import { CHAT_STREAM } from '../../../projections/chats.ts'
import { PRESENCE_STREAM } from '../../../projections/online.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Desk } from './desk.ts'

export interface AbandonedChatsOptions {
  readonly desk: Desk
  readonly entities: Entities
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/**
 * Keeps one thing true: in an open chat the visitor and whoever serves are online (or in their grace). It looks when
 * somebody goes offline, when a chat gets a visitor or a server, and once at the start at everything; so it needs no
 * position of its own, and what a crash left half done is found again. Every node does it: the commands' ids follow
 * from the event, so the log takes each close once.
 */
export function abandonedChats({ desk, entities, now, onError }: AbandonedChatsOptions) {
  const close = (org: string, room: string, gone: string, causedBy: string): void => {
    const by: Party = { id: 'abandoned-chats', org, role: 'system' }
    const call = causedBy === '' ? {} : { causedBy }
    const asked = entities
      .ask('chat', room, { type: 'CloseAbandonedChat', gone, by, at: now() }, call)
      .then((answer) => {
        if (answer instanceof Refusal)
          throw new Error(`chat ${room} could not be closed after ${gone} left: ${answer.code}`)
      })
    asked.catch((error: unknown) => {
      onError(error)
      setTimeout(() => lookAt(room), 1_000).unref() // the log may be back then; if not, once more
    })
  }

  const lookAt = (room: string, causedBy = ''): void => {
    const chat = desk.chats.get(room)
    if (!chat || chat.status === 'closed') return
    for (const id of [chat.visitorId, chat.staffId]) {
      if (id === null || desk.presence(chat.org, id)) continue
      close(chat.org, room, id, causedBy)
      return
    }
  }

  return {
    /** Once, when the desk is live and everybody who is connected has been heard of. */
    start(): void {
      for (const room of desk.chats.keys()) lookAt(room)
    },
    onEvent({ id, stream, event }: Recorded): void {
      if (stream.startsWith(PRESENCE_STREAM)) {
        if ((event as PresenceEvent).type !== 'WentOffline') return
        const [org = '', person = ''] = stream.slice(PRESENCE_STREAM.length).split('.')
        for (const room of desk.chatsOf(org, person)) lookAt(room, id)
      } else if (stream.startsWith(CHAT_STREAM)) {
        const { type } = event as ChatEvent
        if (type === 'ChatOpened' || type === 'ChatClaimed' || type === 'ChatTakenOver')
          lookAt(stream.slice(CHAT_STREAM.length), id)
      }
    },
  }
}
