import { assign, type SnapshotFrom, setup } from 'xstate'
import type { CounterEvent } from './events.ts'

/** Counts: the log itself gives each number once, on every node and in every release. */
export const counterMachine = setup({
  types: { context: {} as { readonly count: number }, events: {} as CounterEvent },
  actions: { count: assign({ count: ({ context }) => context.count + 1 }) },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'counting',
  states: { counting: { on: { NumberTaken: { actions: 'count' } } } },
})

export type CounterState = SnapshotFrom<typeof counterMachine>
