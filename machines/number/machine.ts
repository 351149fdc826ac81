import { assign, type SnapshotFrom, setup } from 'xstate'
import type { NumberEvent } from './events.ts'

/** none -> given: a person keeps the first number that they are given. */
export const numberMachine = setup({
  types: { context: {} as { readonly number: number | null }, events: {} as NumberEvent },
  actions: { keep: assign((_, { number }: { number: number }) => ({ number })) },
}).createMachine({
  id: 'number',
  context: { number: null },
  initial: 'none',
  states: {
    none: { on: { NumberGiven: { target: 'given', actions: { type: 'keep', params: ({ event }) => event } } } },
    given: {},
  },
})

export type NumberState = SnapshotFrom<typeof numberMachine>
