import { assign, type SnapshotFrom, setup } from 'xstate'
import type { StaffRole } from '../kernel.ts'
import type { ChatEvent } from './events.ts'

interface ChatContext {
  readonly org: string
  readonly visitorId: string
  readonly staffId: string | null
  readonly staffRole: StaffRole | null
  readonly severity: number
  readonly messages: number
  /**
   * What waits in the queue, while nobody has claimed the chat: all of it is shown to every staff member on arrival.
   */
  readonly waitingBytes: number
}

/**
 * unclaimed -> claimed -> takenOver -> closed. Handed on or assigned, a chat is claimed by somebody else; returned, it
 * is unclaimed again.
 *
 * Fed with recorded events only, live and on replay alike, hence no guards: whether something may happen is decided in
 * decide.ts; what has happened is accepted, even if the rules have changed since. A closed chat is not final: it can
 * still be flagged and unflagged, since a supervisor goes through flagged chats after the fact.
 */
export const chatMachine = setup({
  types: { context: {} as ChatContext, events: {} as ChatEvent },
  actions: {
    seatVisitor: assign((_, event: { org: string; visitorId: string }) => ({
      org: event.org,
      visitorId: event.visitorId,
    })),
    seatStaff: assign((_, event: { staffId: string; role: StaffRole }) => ({
      staffId: event.staffId,
      staffRole: event.role,
    })),
    /** The queue counts anew: what was written while somebody served is not what the visitor put there. */
    unseatStaff: assign({ staffId: null, staffRole: null, waitingBytes: 0 }),
    setSeverity: assign({ severity: (_, event: { severity: number }) => event.severity }),
    addWaiting: assign({
      waitingBytes: ({ context }, { bytes = 0 }: { bytes?: number }) => context.waitingBytes + bytes,
    }),
    countMessage: assign({ messages: ({ context }) => context.messages + 1 }),
  },
}).createMachine({
  id: 'chat',
  context: { org: '', visitorId: '', staffId: null, staffRole: null, severity: 0, messages: 0, waitingBytes: 0 },
  initial: 'new',
  states: {
    new: {
      on: {
        ChatOpened: {
          target: 'unclaimed',
          actions: [
            { type: 'seatVisitor', params: ({ event }) => event },
            { type: 'addWaiting', params: ({ event }) => event },
            'countMessage',
          ],
        },
      },
    },
    unclaimed: {
      on: {
        VisitorWrote: { actions: [{ type: 'addWaiting', params: ({ event }) => event }, 'countMessage'] },
        ChatAssigned: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatClaimed: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatFlagged: { actions: { type: 'setSeverity', params: ({ event }) => event } },
        ChatClosed: 'closed',
      },
    },
    claimed: {
      on: {
        VisitorWrote: { actions: 'countMessage' },
        StaffWrote: { actions: 'countMessage' },
        ChatTakenOver: { target: 'takenOver', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatTransferred: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatAssigned: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatReturned: { target: 'unclaimed', actions: 'unseatStaff' },
        ChatFlagged: { actions: { type: 'setSeverity', params: ({ event }) => event } },
        ChatClosed: 'closed',
      },
    },
    takenOver: {
      on: {
        VisitorWrote: { actions: 'countMessage' },
        StaffWrote: { actions: 'countMessage' },
        ChatTakenOver: { actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatTransferred: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatAssigned: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatReturned: { target: 'unclaimed', actions: 'unseatStaff' },
        ChatFlagged: { actions: { type: 'setSeverity', params: ({ event }) => event } },
        ChatClosed: 'closed',
      },
    },
    closed: {
      on: { ChatFlagged: { actions: { type: 'setSeverity', params: ({ event }) => event } } },
    },
  },
})

export type ChatState = SnapshotFrom<typeof chatMachine>
