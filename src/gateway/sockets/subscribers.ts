import type { Party } from '../../../machines/kernel.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { TakenOut, Topic } from '../../delivery/subscriptions.ts'

/** One connection's wish to hear of one id. */
export interface Subscription {
  readonly id: string
  readonly from: Connection
  /** The revision of the entity that says that they may; null while that is being found out. */
  since: number | null
  /** The last revision by which they were taken out, as this node has heard. */
  takenOutAt: number
}

/**
 * Who hears of what, and who is about to: until it is known whether somebody may, they may already be taken out again.
 */
export interface Subscribers {
  /** Undefined when the connection is closed. Twice is the same subscription. */
  begin(id: string, from: Connection): Subscription | undefined
  /** They may, says the revision `since`. False when they do not want to any more, or are gone. */
  enter(subscription: Subscription, since: number): boolean
  end(id: string, from: Connection): void
  isIn(id: string, from: Connection): boolean
  /** Ends the subscriptions that an event takes out, and gives them. */
  takeOut(out: TakenOut): readonly Subscription[]
}

export function subscribers({ rooms, entityOf = (id) => id }: Pick<Topic, 'rooms' | 'entityOf'>): Subscribers {
  /** By entity, then by id and connection. */
  const all = new Map<string, Map<string, Subscription>>()
  /** What each connection hears of, or has heard of. */
  const ofConnections = new Map<string, Set<string>>()

  const end = (id: string, from: Connection): void => {
    const theirs = all.get(entityOf(id))
    if (!theirs?.delete(keyOf(id, from))) return
    for (const room of rooms(id, from.party)) from.leave(room)
    if (theirs.size === 0) all.delete(entityOf(id))
    ofConnections.get(from.id)?.delete(id)
  }

  const idsOf = (from: Connection): Set<string> => {
    const known = ofConnections.get(from.id)
    if (known) return known
    const its = new Set<string>()
    ofConnections.set(from.id, its)
    from.onClosed(() => {
      for (const id of its) end(id, from)
      ofConnections.delete(from.id)
    })
    return its
  }

  return {
    begin(id, from) {
      if (!from.isOpen()) return undefined
      const theirs = all.get(entityOf(id)) ?? new Map<string, Subscription>()
      const subscription = theirs.get(keyOf(id, from)) ?? { id, from, since: null, takenOutAt: -1 }
      all.set(entityOf(id), theirs.set(keyOf(id, from), subscription))
      idsOf(from).add(id)
      return subscription
    },
    enter(subscription, since) {
      const { id, from } = subscription
      if (!from.isOpen() || all.get(entityOf(id))?.get(keyOf(id, from)) !== subscription) return false
      subscription.since = since
      for (const room of rooms(id, from.party)) from.join(room)
      return true
    },
    end,
    isIn: (id, from) => typeof all.get(entityOf(id))?.get(keyOf(id, from))?.since === 'number',
    takeOut(event) {
      const { topic, seq } = event
      const out: Subscription[] = []
      for (const subscription of [...(all.get(topic)?.values() ?? [])]) {
        const { from, since } = subscription
        if (!isOut(event, from.party)) continue
        subscription.takenOutAt = seq
        if (since === null || since >= seq) continue // it is looked into, or was after this
        end(subscription.id, from)
        out.push(subscription)
      }
      return out
    },
  }
}

/** Whether an event keeps this person from looking on. */
export const isOut = ({ person, role }: TakenOut, by: Party): boolean =>
  (person === null || by.id === person) && (role === null || by.role === role)

const keyOf = (id: string, from: Connection): string => `${id} ${from.id}`
