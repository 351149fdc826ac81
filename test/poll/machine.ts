import { assign, type SnapshotFrom, setup } from 'xstate'
import type { EventSchema } from '../../machines/kernel.ts'

export type PollEvent =
  | {
      readonly type: 'PollOpened'
      readonly org: string
      readonly question: string
      readonly options: readonly string[]
      readonly by: string
    }
  /** `was` = what the same person had voted for before. */
  | { readonly type: 'VoteCast'; readonly voterId: string; readonly option: number; readonly was: number | null }
  | { readonly type: 'PollClosed' }

const schema: EventSchema = { version: 1, personal: [], upcasts: {} }
export const pollEvents: Record<PollEvent['type'], EventSchema> = {
  PollOpened: schema,
  VoteCast: schema,
  PollClosed: schema,
}

export interface Poll {
  readonly org: string
  readonly openedBy: string
  readonly options: readonly string[]
  readonly votes: Readonly<Record<string, number>>
}

/** unopened -> open -> closed. */
export const pollMachine = setup({
  types: { context: {} as Poll, events: {} as PollEvent },
  actions: {
    open: assign((_, { org, by, options }: { org: string; by: string; options: readonly string[] }) => ({
      org,
      openedBy: by,
      options,
    })),
    vote: assign(({ context: { votes } }, { voterId, option }: { voterId: string; option: number }) => ({
      votes: { ...votes, [voterId]: option },
    })),
  },
}).createMachine({
  id: 'poll',
  context: { org: '', openedBy: '', options: [], votes: {} },
  initial: 'unopened',
  states: {
    unopened: { on: { PollOpened: { target: 'open', actions: { type: 'open', params: ({ event }) => event } } } },
    open: {
      on: { VoteCast: { actions: { type: 'vote', params: ({ event }) => event } }, PollClosed: { target: 'closed' } },
    },
    closed: {},
  },
})

export type PollState = SnapshotFrom<typeof pollMachine>
