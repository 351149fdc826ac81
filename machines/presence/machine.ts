import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Role } from '../kernel.ts'
import type { PresenceEvent } from './events.ts'

interface PresenceContext {
  /** Null as long as they were never online; afterwards what it last was. */
  readonly role: Role | null
  /** When the present presence began, milliseconds since 1970; null while offline. */
  readonly since: number | null
  /** Until when a lost connection may come back, milliseconds since 1970; null unless lost. */
  readonly until: number | null
}

/** offline -> online -> lost -> offline. No state is final: people come again. */
export const presenceMachine = setup({
  types: { context: {} as PresenceContext, events: {} as PresenceEvent },
  actions: {
    begin: assign((_, { role, at }: { role: Role; at: number }) => ({ role, since: at, until: null })),
    startGrace: assign({ until: (_, { until }: { until: number }) => until }),
    goOn: assign((_, { role }: { role: Role }) => ({ role, until: null })),
    end: assign({ since: null, until: null }),
  },
}).createMachine({
  id: 'presence',
  context: { role: null, since: null, until: null },
  initial: 'offline',
  states: {
    offline: {
      on: { CameOnline: { target: 'online', actions: { type: 'begin', params: ({ event }) => event } } },
    },
    online: {
      on: {
        ConnectionLost: { target: 'lost', actions: { type: 'startGrace', params: ({ event }) => event } },
        WentOffline: { target: 'offline', actions: 'end' },
      },
    },
    lost: {
      on: {
        CameBack: { target: 'online', actions: { type: 'goOn', params: ({ event }) => event } },
        WentOffline: { target: 'offline', actions: 'end' },
      },
    },
  },
})

export type PresenceState = SnapshotFrom<typeof presenceMachine>
