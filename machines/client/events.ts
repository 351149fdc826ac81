import type { EventSchema } from '../kernel.ts'

/**
 * What a client has subscribed to that comes back with `resume=1`, in the stream `client-<pid>.<org>.<person>`. `topic`
 * and `subject`: of what, and of which one. Times in milliseconds since 1970.
 */
export type ClientEvent = {
  readonly type: 'Subscribed' | 'Unsubscribed'
  readonly topic: string
  readonly subject: string
  /** The revision of the entity by which they were let in: what takes them out later ends it. */
  readonly since: number
  /** Position in the log up to which what was told is none of theirs. Older events do not say it. */
  readonly from?: string
  readonly at: number
}

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const clientEvents: Readonly<Record<ClientEvent['type'], EventSchema>> = {
  Subscribed: plain,
  Unsubscribed: plain,
}
