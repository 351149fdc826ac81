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
  /** Of all content, as far as its events tell: those of older releases do while nobody has claimed the chat. */
  readonly bytes: number
  /** What the visitor has put into the queue, while nobody has claimed the chat. */
  readonly waitingBytes: number
  readonly waitingMessages: number
}

interface Sized {
  readonly bytes?: number
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
    unseatStaff: assign({ staffId: null, staffRole: null, waitingBytes: 0, waitingMessages: 0 }),
    setSeverity: assign({ severity: (_, event: { severity: number }) => event.severity }),
    addWaiting: assign({
      waitingBytes: ({ context }, { bytes = 0 }: Sized) => context.waitingBytes + bytes,
      waitingMessages: ({ context }) => context.waitingMessages + 1,
    }),
    countMessage: assign({
      messages: ({ context }) => context.messages + 1,
      bytes: ({ context }, { bytes = 0 }: Sized) => context.bytes + bytes,
    }),
  },
}).createMachine({
  id: 'chat',
  context: {
    org: '',
    visitorId: '',
    staffId: null,
    staffRole: null,
    severity: 0,
    messages: 0,
    bytes: 0,
    waitingBytes: 0,
    waitingMessages: 0,
  },
  initial: 'new',
  states: {
    new: {
      on: {
        ChatOpened: {
          target: 'unclaimed',
          actions: [
            { type: 'seatVisitor', params: ({ event }) => event },
            { type: 'addWaiting', params: ({ event }) => event },
            { type: 'countMessage', params: ({ event }) => event },
          ],
        },
      },
    },
    unclaimed: {
      on: {
        VisitorWrote: {
          actions: [
            { type: 'addWaiting', params: ({ event }) => event },
            { type: 'countMessage', params: ({ event }) => event },
          ],
        },
        ChatAssigned: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatClaimed: { target: 'claimed', actions: { type: 'seatStaff', params: ({ event }) => event } },
        ChatFlagged: { actions: { type: 'setSeverity', params: ({ event }) => event } },
        ChatClosed: 'closed',
      },
    },
    claimed: {
      on: {
        VisitorWrote: { actions: { type: 'countMessage', params: ({ event }) => event } },
        StaffWrote: { actions: { type: 'countMessage', params: ({ event }) => event } },
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
        VisitorWrote: { actions: { type: 'countMessage', params: ({ event }) => event } },
        StaffWrote: { actions: { type: 'countMessage', params: ({ event }) => event } },
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
