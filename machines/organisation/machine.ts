import { assign, type SnapshotFrom, setup } from 'xstate'
import type { OrganisationEvent } from './events.ts'

/** unknown -> open, for ever. */
export const organisationMachine = setup({
  types: { context: {} as { readonly title: string | null }, events: {} as OrganisationEvent },
  actions: { name: assign((_, { title }: { title: string | null }) => ({ title })) },
}).createMachine({
  id: 'organisation',
  context: { title: null },
  initial: 'unknown',
  states: {
    unknown: {
      on: { OrganisationOpened: { target: 'open', actions: { type: 'name', params: ({ event }) => event } } },
    },
    open: { on: { OrganisationRenamed: { actions: { type: 'name', params: ({ event }) => event } } } },
  },
})

export type OrganisationState = SnapshotFrom<typeof organisationMachine>
