import { type Command, type Decision, unreachable } from '../kernel.ts'
import type { ClientEvent } from './events.ts'
import { type ClientState, isSame, type KeptTopic } from './machine.ts'

/** By the person whose client it is: whether they may subscribe says the topic. */
export type ClientCommand = Command &
  KeptTopic & {
    readonly type: 'Subscribe' | 'Unsubscribe'
    /** It enters anew: what is kept of it, if anything, is over. */
    readonly isNew?: boolean
  }

/** Nothing is refused. */
export function decide(state: ClientState, command: ClientCommand): Decision<ClientEvent> {
  const { type, topic, subject, since, from, at } = command
  const isKept = state.context.topics.some((one) => isSame(one, { topic, subject }))
  switch (type) {
    case 'Subscribe': {
      if (isKept && !command.isNew) return []
      return [{ type: 'Subscribed', topic, subject, since, ...(from === undefined ? {} : { from }), at }]
    }
    case 'Unsubscribe':
      return isKept ? [{ type: 'Unsubscribed', topic, subject, since, at }] : []
    default:
      return unreachable(type)
  }
}
