import type { KeptTopic } from '../../../machines/client/machine.ts'
import { type Party, type Recorded, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Connection, Outcome } from '../../delivery/connection.ts'
import { cursorOf } from '../../delivery/cursor.ts'
import type { Follower } from '../../delivery/follower.ts'
import type { EventRef } from '../../delivery/notice.ts'
import type { Restored, Subscriptions, TakenOut, Topic, TopicState } from '../../delivery/subscriptions.ts'
import { keyedQueue } from '../../keyed-queue.ts'
import { type Log, LogUnavailable } from '../../log/log.ts'
import type { Done } from '../../runtime/answer.ts'
import { orDamage } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { isOut, type Subscription, subscribers } from './subscribers.ts'

export interface SubscriptionsOptions {
  readonly entities: Pick<Entities, 'lastPosition' | 'ask'>
  readonly now: () => number
  readonly log: Pick<Log, 'read'>
  readonly onError: (error: unknown) => void
  readonly follower: Pick<Follower, 'position' | 'until'>
}

/** Read-your-writes: whoever changed something here and then looks waits at most this long for it. */
const OWN_WRITE_WAIT_MS = 1_000
/** How often it is looked again whether somebody may subscribe who was taken out at that very moment. */
const MAX_ATTEMPTS = 10

/**
 * The subscriptions of one topic on this node. Whether somebody may look on says the entity at the moment; who is taken
 * out meanwhile is found by the revisions of the two.
 */
export function subscriptionsTo(topic: Topic, options: SubscriptionsOptions): Subscriptions {
  const { entities, follower, now, log, onError } = options
  const { entityOf = (id) => id } = topic
  const turns = keyedQueue()
  const known = subscribers(topic)

  const ownWritesHeard = async (): Promise<void> => {
    const upTo = entities.lastPosition()
    if (follower.position() >= upTo) return
    await follower.until(() => follower.position() >= upTo, AbortSignal.timeout(OWN_WRITE_WAIT_MS))
  }

  /** The opening is taken in the turn in which this resolves. */
  const admitted = async (id: string, from: Connection): Promise<Admitted | Refusal> => {
    const revision = await topic.admits(id, from.party)
    if (revision instanceof Refusal) return revision
    const opening = await topic.opening(id)
    await ownWritesHeard()
    return { revision, opening }
  }

  /** In the turn in which it resolves the connection has entered, and what `then` gives is as of now. */
  const enter = async <T>(
    id: string,
    from: Connection,
    then: (opening: () => TopicState, revision: number) => T,
  ): Promise<T | Refusal> => {
    let subscription: Subscription | undefined = known.begin(id, from)
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const found = await admitted(id, from)
        if (found instanceof Refusal) {
          known.end(id, from)
          return found
        }
        const { revision, opening } = found
        if (subscription && subscription.takenOutAt > revision) continue // meanwhile
        // Enter, then look, without a wait in between: what happens later comes as a push, what happened before is in
        // the opening.
        if (subscription && !known.enter(subscription, revision)) {
          subscription = known.begin(id, from) // taken out, and let in again, meanwhile
          continue
        }
        return then(opening, revision)
      }
      return refuse('busy')
    } finally {
      if (subscription?.since === null) known.end(id, from)
    }
  }

  /** Where the client goes on when it comes back. */
  const keep = async (
    type: 'Subscribe' | 'Unsubscribe',
    subject: string,
    { client, party: by }: Connection,
    entered: { readonly since: number; readonly from?: string; readonly isNew?: boolean } = { since: -1 },
  ): Promise<Refusal | null> => {
    if (client === null) return null
    const command = { type, topic: topic.name, subject, ...entered, by, at: now() } as const
    const answer = await entities.ask('client', client, command)
    return answer instanceof Refusal ? answer : null
  }

  /**
   * What took them out and where, null = nothing did. Whoever was let in again meanwhile has been taken out all the
   * same, as those who were there were.
   */
  const takenOut = async ({ subject, since }: KeptTopic, by: Party): Promise<Ended | null> => {
    for await (const batch of log.read(`${topic.category}-${entityOf(subject)}`, { from: since + 1 }))
      for (const recorded of batch) {
        const out = topic.takesOut(recorded)
        if (out && isOut(out, by)) return { out, endedBy: recorded }
      }
    return null
  }

  const goOn = async (kept: KeptTopic, from: Connection): Promise<(() => TopicState) | Ended | Refusal> => {
    const ended = await takenOut(kept, from.party)
    if (ended) return ended
    const entered = await enter(kept.subject, from, (opening) => opening)
    return entered instanceof Refusal ? ((await takenOut(kept, from.party)) ?? entered) : entered
  }

  const restored = async (kept: KeptTopic, from: Connection, after: bigint): Promise<Restored> => {
    const { subject: id } = kept
    const rooms = topic.rooms(id, from.party)
    const enteredAfter = BigInt(kept.from ?? -1)
    // Nobody can say whether they may look on at what is damaged; all else that they come back to goes on.
    const found = await orDamage(goOn(kept, from))
    if (typeof found === 'function') {
      await topic.entered?.(id, from)
      return topic.hasPast
        ? { rooms, stay: { after: enteredAfter, before: null } }
        : { rooms, tell: () => ({ ...found(), pos: found().data.pos }) }
    }
    if (found instanceof Refusal && found.code === 'busy')
      throw new LogUnavailable('it cannot be said whether somebody may look on: too busy')
    if (!('endedBy' in found)) {
      await keep('Unsubscribe', id, from) // told once
      return { rooms: [], tell: () => ({ ...topic.farewell(id, false), pos: null }) }
    }
    const { out, endedBy } = found
    if (endedBy.position <= after) {
      await keep('Unsubscribe', id, from) // it knows; until its cursor shows that, it may have been told on a dead line
      return { rooms: [] }
    }
    const farewell = { ...topic.farewell(id, isForAll(out)), endedBy }
    // What happened before they were taken out is theirs.
    return topic.hasPast
      ? { rooms, stay: { after: enteredAfter, before: endedBy.position }, farewell }
      : { rooms: [], farewell }
  }

  /** Whoever leaves hears first what was said until then, on any node. */
  const toldUntilNow = async (id: string): Promise<void> => {
    if (!topic.saidIn) return
    const said = await lastIn(topic.saidIn(id))
    if (said && follower.position() < said.position)
      await follower.until(() => follower.position() >= said.position, AbortSignal.timeout(OWN_WRITE_WAIT_MS))
    await topic.told?.(id)
  }
  const lastIn = async (stream: string): Promise<Recorded | undefined> => {
    try {
      for await (const [last] of log.read(stream, { backwards: true, limit: 1 })) return last
    } catch (error) {
      onError(error) // they leave all the same
    }
    return undefined
  }

  const keyOf = (id: string, from: Connection): string => `${from.id} ${id}`

  return {
    subscribe: (id, from) =>
      turns.run(keyOf(id, from), async () => {
        const wasIn = known.isIn(id, from)
        const entered = await enter(id, from, (opening, since) => {
          const { answer } = told(id, from, opening())
          // Whoever is gone by now has not come in: what is kept of them stays.
          return { answer, place: { since, from: String(follower.position()), isNew: !wasIn && known.isIn(id, from) } }
        })
        if (entered instanceof Refusal) return { about: id, answer: entered }
        return { about: id, answer: (await keep('Subscribe', id, from, entered.place)) ?? entered.answer }
      }),
    unsubscribe: (id, from) =>
      turns.run(keyOf(id, from), async () => {
        await toldUntilNow(id)
        known.end(id, from)
        const done: Done = { kind: 'done', id: null, seq: -1, position: null, events: [] }
        return { about: id, answer: (await keep('Unsubscribe', id, from)) ?? done }
      }),
    async restore(kept, from, after) {
      const its = kept.filter((one) => one.topic === topic.name)
      const all = its.map((one) => turns.run(keyOf(one.subject, from), () => restored(one, from, after)))
      return Promise.all(all)
    },
    async read(id, from, as) {
      const found = await admitted(id, from)
      if (found instanceof Refusal) return { about: id, answer: found }
      return told(id, from, { ...found.opening(), name: as })
    },
    categories: [topic.category],
    onEvent(recorded: Recorded) {
      const out = topic.takesOut(recorded)
      if (!out) return
      for (const { id, from } of known.takeOut(out)) {
        const { name, data } = topic.farewell(id, isForAll(out))
        from.emit(name, data) // what is kept of it stays until they show that they have heard: see `restored`
      }
    },
  }
}

interface Ended {
  readonly out: TakenOut
  readonly endedBy: Recorded
}

const isForAll = ({ role, person }: TakenOut): boolean => role === null && person === null

interface Admitted {
  /** Of the entity, by which they may subscribe. */
  readonly revision: number
  readonly opening: () => TopicState
}

function told(id: string, from: Connection, { name, data }: TopicState): Outcome {
  from.emit(name, data)
  return { about: id, answer: standing(data) }
}

const standing = ({ id, seq, pos }: EventRef): Done => {
  const position = cursorOf(pos)?.position ?? null
  return { kind: 'done', id, seq, position, events: [] }
}
