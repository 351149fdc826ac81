import { assign, type SnapshotFrom, setup } from 'xstate'
import type { LoginEvent } from './events.ts'

/** Where an e-mail may log in, oldest first. An entry is a hint: the account itself may never have been opened. */
export interface Login {
  readonly accounts: readonly { readonly org: string; readonly person: string }[]
}

/** free -> used. Fed recorded events only. */
export const loginMachine = setup({
  types: { context: {} as Login, events: {} as LoginEvent },
  actions: {
    add: assign(({ context }, p: LoginEvent) => ({
      accounts: [...context.accounts, { org: p.org, person: p.person }],
    })),
  },
}).createMachine({
  id: 'login',
  context: { accounts: [] },
  initial: 'free',
  states: {
    free: { on: { LoginAdded: { target: 'used', actions: { type: 'add', params: ({ event }) => event } } } },
    used: { on: { LoginAdded: { actions: { type: 'add', params: ({ event }) => event } } } },
  },
})

export type LoginState = SnapshotFrom<typeof loginMachine>
