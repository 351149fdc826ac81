import { assign, type SnapshotFrom, setup } from 'xstate'
import type { JoincodeEvent } from './events.ts'

/** free -> reserved. A code is never given to a second lesson. */
export const joincodeMachine = setup({
  types: { context: {} as { readonly lessonId: string | null }, events: {} as JoincodeEvent },
  actions: { reserve: assign((_, { lessonId }: { lessonId: string }) => ({ lessonId })) },
}).createMachine({
  id: 'joincode',
  context: { lessonId: null },
  initial: 'free',
  states: {
    free: {
      on: { JoinCodeReserved: { target: 'reserved', actions: { type: 'reserve', params: ({ event }) => event } } },
    },
    reserved: {},
  },
})

export type JoincodeState = SnapshotFrom<typeof joincodeMachine>
