import type { ChatEvent } from '../../../machines/chat/events.ts'
import { type Party, type Recorded, Refusal } from '../../../machines/kernel.ts'
import { idIn, isOf, personIn, personName } from '../../../machines/stream.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { Clock } from '../../clock.ts'
import type { StoppablePolicy } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { forEachLimited } from '../../keyed-queue.ts'
import { openRetries } from '../../retries.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { openChatsOf } from './chats-model.ts'

export interface AbandonedChatsOptions {
  readonly chats: LiveModel<ChatRow>
  readonly online: LiveModel<OnlineRow>
  readonly entities: Pick<Entities, 'ask'>
  readonly clock: Clock
  /** What becomes of a chat whose server is gone: it ends, or goes back to the queue. */
  readonly onStaffGone: 'close' | 'return'
  readonly onError: (error: unknown) => void
}

const RETRY_MS = 1_000
const MAX_PARALLEL_CHATS = 64

/** After these somebody else has to be here. */
const MOVES: ReadonlySet<ChatEvent['type']> = new Set([
  'ChatOpened',
  'ChatClaimed',
  'ChatTakenOver',
  'ChatTransferred',
  'ChatAssigned',
  'ChatReturned',
])

/**
 * Keeps one thing true: in an open chat the visitor and whoever serves are online (or in their grace). It looks when
 * somebody goes offline, when a chat gets a visitor or a server, and once at the start at everything; so it needs no
 * position of its own, and what a crash left half done is found again. Every node does it: the commands' ids follow
 * from the event, so the log takes each close once.
 */
export function abandonedChats({
  chats,
  online,
  entities,
  clock,
  onStaffGone,
  onError,
}: AbandonedChatsOptions): StoppablePolicy {
  const retries = openRetries(clock, RETRY_MS)

  let stopped = false

  const leave = ({ org, visitorId }: ChatRow, room: string, gone: string, causedBy: string): Promise<void> => {
    const by: Party = { id: 'abandoned-chats', org, role: 'system' }
    const call = causedBy === '' ? {} : { causedBy }
    const type = gone === visitorId || onStaffGone === 'close' ? 'CloseAbandonedChat' : 'ReturnAbandonedChat'
    const command = { type, gone, by, at: clock.now() } as const
    const asked = entities.ask('chat', room, command, call).then((answer) => {
      if (answer instanceof Refusal && !isDamaged(answer))
        throw new Error(`chat ${room} could not be ended or returned after ${gone} left: ${answer.code}`)
    })
    return asked.catch((error: unknown) => {
      onError(error)
      retries.add(() => void lookAt(room)) // the log may be back then; if not, once more
    })
  }

  /** Never rejects. */
  const lookAt = async (room: string, causedBy = ''): Promise<void> => {
    const chat = chats.get(room)
    if (!chat || chat.status === 'closed') return
    for (const id of [chat.visitorId, chat.staffId]) {
      if (id === null || online.get(personName({ org: chat.org, id }))) continue
      return leave(chat, room, id, causedBy)
    }
  }

  return {
    stop() {
      stopped = true
      retries.stop()
    },
    categories: ['presence', 'chat'],
    start() {
      // Nobody waits for them: after a night without a server they may be all that were open.
      const rooms = (function* () {
        for (const [room] of chats.entries()) if (!stopped) yield room
      })()
      void forEachLimited(MAX_PARALLEL_CHATS, rooms, (room) => lookAt(room))
    },
    onEvent(recorded: Recorded) {
      const { id, stream } = recorded
      if (isOf('presence', recorded)) {
        if (recorded.event.type !== 'WentOffline') return
        const { org, id: person } = personIn(idIn('presence', stream) ?? '')
        for (const room of [...chats.list(openChatsOf(org, person)).keys()]) void lookAt(room, id)
      } else if (isOf('chat', recorded)) {
        if (MOVES.has(recorded.event.type)) void lookAt(idIn('chat', stream) ?? '', id)
      }
    },
  }
}
