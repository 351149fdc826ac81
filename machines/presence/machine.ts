import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Role } from '../kernel.ts'
import type { OfflineReason, PresenceEvent } from './events.ts'

export interface PastPresence {
  readonly since: number
  readonly until: number
  readonly reason: OfflineReason
}

interface PresenceContext {
  /** Null as long as they were never online; afterwards what it last was. */
  readonly role: Role | null
  /** When the present presence began, milliseconds since 1970; null while offline. */
  readonly since: number | null
  /** Until when a lost connection may come back, milliseconds since 1970; null unless lost. */
  readonly until: number | null
  /** When the connection was lost; null unless lost. */
  readonly lostAt: number | null
  /** When the connection last came back within this presence; null when it never did, or that is not recorded. */
  readonly backAt: number | null
  /**
   * The presence before this one, or the last one while offline; null when there was none or its times are not
   * recorded.
   */
  readonly past: PastPresence | null
}

/** offline -> online -> lost -> offline. No state is final: people come again. */
export const presenceMachine = setup({
  types: { context: {} as PresenceContext, events: {} as PresenceEvent },
  actions: {
    begin: assign((_, { role, at }: { role: Role; at: number }) => ({
      role,
      since: at,
      until: null,
      lostAt: null,
      backAt: null,
    })),
    startGrace: assign((_, { until, at }: { until: number; at?: number }) => ({ until, lostAt: at ?? null })),
    goOn: assign((_, { role, at }: { role: Role; at?: number }) => ({
      role,
      until: null,
      lostAt: null,
      backAt: at ?? null,
    })),
    end: assign((_, { since, at, reason }: { since?: number; at?: number; reason: OfflineReason }) => ({
      since: null,
      until: null,
      lostAt: null,
      backAt: null,
      past: since === undefined || at === undefined ? null : { since, until: at, reason },
    })),
  },
}).createMachine({
  id: 'presence',
  context: { role: null, since: null, until: null, lostAt: null, backAt: null, past: null },
  initial: 'offline',
  states: {
    offline: {
      on: { CameOnline: { target: 'online', actions: { type: 'begin', params: ({ event }) => event } } },
    },
    online: {
      on: {
        ConnectionLost: { target: 'lost', actions: { type: 'startGrace', params: ({ event }) => event } },
        WentOffline: { target: 'offline', actions: { type: 'end', params: ({ event }) => event } },
      },
    },
    lost: {
      on: {
        CameBack: { target: 'online', actions: { type: 'goOn', params: ({ event }) => event } },
        WentOffline: { target: 'offline', actions: { type: 'end', params: ({ event }) => event } },
      },
    },
  },
})

export type PresenceState = SnapshotFrom<typeof presenceMachine>
