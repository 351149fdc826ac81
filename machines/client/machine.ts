import { assign, type SnapshotFrom, setup } from 'xstate'
import type { ClientEvent } from './events.ts'

/** One thing that a client has subscribed to. */
export type KeptTopic = Pick<ClientEvent, 'topic' | 'subject' | 'since' | 'from'>
type Named = Pick<KeptTopic, 'topic' | 'subject'>

/** Of one client; what it subscribed to first is forgotten first. */
const MAX_TOPICS = 100

export const isSame = (one: Named, other: Named): boolean => one.topic === other.topic && one.subject === other.subject

const without = (topics: readonly KeptTopic[], one: Named): readonly KeptTopic[] =>
  topics.filter((other) => !isSame(one, other))

/** A client over all its connections: it subscribes, and is subscribed when it comes back. */
export const clientMachine = setup({
  types: { context: {} as { readonly topics: readonly KeptTopic[] }, events: {} as ClientEvent },
  actions: {
    add: assign(({ context: { topics } }, { topic, subject, since, from }: KeptTopic) => ({
      topics: [
        ...without(topics, { topic, subject }),
        { topic, subject, since, ...(from === undefined ? {} : { from }) },
      ].slice(-MAX_TOPICS),
    })),
    remove: assign(({ context: { topics } }, one: Named) => ({ topics: without(topics, one) })),
  },
}).createMachine({
  id: 'client',
  context: { topics: [] },
  initial: 'known',
  states: {
    known: {
      on: {
        Subscribed: { actions: { type: 'add', params: ({ event }) => event } },
        Unsubscribed: { actions: { type: 'remove', params: ({ event }) => event } },
      },
    },
  },
})

export type ClientState = SnapshotFrom<typeof clientMachine>
