import type { Connection } from '../../delivery/connection.ts'
import type { TakenOut } from '../../delivery/subscriptions.ts'

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
  /** Ends the subscriptions that an event takes out, and gives them. */
  takeOut(out: TakenOut): readonly Subscription[]
}

/** `room` names the room of those who hear of an id. */
export function subscribers(room: (id: string) => string): Subscribers {
  /** By id, then by connection. */
  const all = new Map<string, Map<string, Subscription>>()
  /** What each connection hears of, or has heard of. */
  const ofConnections = new Map<string, Set<string>>()

  const end = (id: string, from: Connection): void => {
    const theirs = all.get(id)
    if (!theirs?.delete(from.id)) return
    from.leave(room(id))
    if (theirs.size === 0) all.delete(id)
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
      const theirs = all.get(id) ?? new Map<string, Subscription>()
      const subscription = theirs.get(from.id) ?? { id, from, since: null, takenOutAt: -1 }
      all.set(id, theirs.set(from.id, subscription))
      idsOf(from).add(id)
      return subscription
    },
    enter(subscription, since) {
      const { id, from } = subscription
      if (!from.isOpen() || all.get(id)?.get(from.id) !== subscription) return false
      subscription.since = since
      from.join(room(id))
      return true
    },
    end,
    takeOut({ topic, role, person, seq }) {
      const out: Subscription[] = []
      for (const subscription of [...(all.get(topic)?.values() ?? [])]) {
        const { from, since } = subscription
        if (from.party.id !== person || from.party.role !== role) continue
        subscription.takenOutAt = seq
        if (since === null || since >= seq) continue // it is looked into, or was after this
        end(topic, from)
        out.push(subscription)
      }
      return out
    },
  }
}
