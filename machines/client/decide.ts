import { type Command, type Decision, unreachable } from '../kernel.ts'
import type { ClientEvent } from './events.ts'
import { type ClientState, isSame, type KeptTopic } from './machine.ts'

/** By the person whose client it is: whether they may subscribe says the topic. */
export type ClientCommand = Command & KeptTopic & { readonly type: 'Subscribe' | 'Unsubscribe' }

/** Nothing is refused. */
export function decide(state: ClientState, { type, topic, subject, since, at }: ClientCommand): Decision<ClientEvent> {
  const isKept = state.context.topics.some((one) => isSame(one, { topic, subject }))
  switch (type) {
    case 'Subscribe':
      return isKept ? [] : [{ type: 'Subscribed', topic, subject, since, at }]
    case 'Unsubscribe':
      return isKept ? [{ type: 'Unsubscribed', topic, subject, since, at }] : []
    default:
      return unreachable(type)
  }
}
