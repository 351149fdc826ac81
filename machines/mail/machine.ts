import { assign, type SnapshotFrom, setup } from 'xstate'
import type { MailEvent } from './events.ts'

interface MailContext {
  readonly org: string
  readonly personId: string
  readonly title: string
  readonly queuedAt: number
  readonly attempt: { readonly node: string; readonly at: number } | null
}

type Of<Type extends MailEvent['type']> = Extract<MailEvent, { type: Type }>

/** none -> queued -> sent, or given up; spared, as long as they were told of every addition by an open page. */
export const mailMachine = setup({
  types: { context: {} as MailContext, events: {} as MailEvent },
  actions: {
    queue: assign((_, { org, personId, title, at: queuedAt }: Of<'MailQueued'>) => ({
      org,
      personId,
      title,
      queuedAt,
    })),
    attempt: assign((_, { node, at }: Of<'MailAttempted'>) => ({ attempt: { node, at } })),
  },
}).createMachine({
  id: 'mail',
  context: { org: '', personId: '', title: '', queuedAt: 0, attempt: null },
  initial: 'none',
  states: {
    none: {
      on: {
        MailQueued: { target: 'queued', actions: { type: 'queue', params: ({ event }) => event } },
        MailSpared: 'spared',
      },
    },
    spared: {
      on: {
        MailQueued: { target: 'queued', actions: { type: 'queue', params: ({ event }) => event } },
        MailSpared: 'spared',
      },
    },
    queued: {
      on: {
        MailAttempted: { actions: { type: 'attempt', params: ({ event }) => event } },
        MailSent: 'sent',
        MailGivenUp: 'givenUp',
      },
    },
    sent: {},
    givenUp: {},
  },
})

export type MailState = SnapshotFrom<typeof mailMachine>
