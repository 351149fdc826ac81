import { type Command, type Event, Refusal, refuse } from '../../machines/kernel.ts'
import { AppendTooLarge, type Proposed, type Recorded, WrongRevision } from '../log/log.ts'
import { type Actor, startActor } from './actor.ts'
import type { Answer, Call } from './answer.ts'
import { eventIdOf, identify, metaOf, type Waiting } from './call.ts'
import { CallRecord } from './call-record.ts'
import type { EntityParts, View } from './entity-parts.ts'
import { refusalFor } from './log-refusals.ts'
import { NoOpCalls, unchangedAt } from './no-op-calls.ts'
import { answersTo, type Plan } from './plans.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshots.ts'

const MAILBOX = 256
const GROUP = 64
const MAX_ATTEMPTS = 10
/** Below this, reading the events is as quick as restoring a snapshot. */
const SNAPSHOT_PAYS = 500

/**
 * One entity awake: its machine's state, the revision it has seen, and a bounded mailbox. Order is the whole point:
 * decide, append, move, answer. Commands that wait together are decided one after another on the moving actor and
 * appended as one; if that append fails, the actor (which ran ahead) is dropped and made again from the log. Nobody
 * outside sees it while it is ahead.
 */
export class Entity<S, C extends Command, E extends Event> {
  readonly stream: string
  /** When it was last used, by the caller's clock. */
  usedAt = 0
  readonly #parts: EntityParts<S, C, E>
  #actor: Actor<S> | undefined
  #revision = -1
  #lastId = ''
  #callRecord = new CallRecord()
  readonly #unchanged = new NoOpCalls()
  #snapshotRevision = -1
  #stale = false
  /** The highest revision that came from the log and was not learned at once. */
  #unlearned = -1
  #serving = false
  #queue: Waiting<C>[] = []
  #stateAsked: PromiseWithResolvers<View<S>>[] = []

  constructor(stream: string, parts: EntityParts<S, C, E>) {
    this.stream = stream
    this.#parts = parts
  }

  get busy(): boolean {
    return this.#serving
  }

  /** Resolves to a Done that is on disk or to a Refusal; rejects only on a bug. */
  ask(command: C, call: Call): Promise<Answer> {
    if (this.#queue.length >= MAILBOX) {
      call.entered?.()
      return Promise.resolve(refuse('overloaded'))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push(identify(this.stream, command, call, resolve, reject))
      call.entered?.()
      if (!this.#serving) void this.#serve() // never rejects: every failure is told to those who wait
    })
  }

  /** The state after everything that is recorded so far. */
  state(): Promise<View<S>> {
    if (this.#actor && !this.#serving && !this.#stale && !this.#parts.shared)
      return Promise.resolve(this.#view(this.#actor))
    const asked = Promise.withResolvers<View<S>>()
    this.#stateAsked.push(asked)
    if (this.#parts.shared) this.#stale = true
    if (!this.#serving) void this.#serve()
    return asked.promise
  }

  /**
   * The first answer to a named call that this entity has taken before (or the refusal of its reuse); undefined when it
   * has not.
   */
  async remembered(command: C, call: Call): Promise<Answer | undefined> {
    await this.state()
    return this.#recall(identify(this.stream, command, call, ignore, ignore))
  }

  /**
   * An event of this entity, from the log: what other nodes write keeps an awake entity up to date, so that
   * conflicts are rare.
   */
  onEvent(recorded: Recorded): void {
    if (!this.#actor || recorded.revision <= this.#revision) return
    // While it serves this is mostly its own append, which comes before the answer to it: that shows only afterwards.
    if (this.#serving || recorded.revision > this.#revision + 1)
      this.#unlearned = Math.max(this.#unlearned, recorded.revision)
    else {
      this.#stale = true // also when it cannot be learned: then nothing may be decided on the state before it
      this.#learn(this.#actor, recorded)
      this.#stale = false
    }
  }

  /** Keeps a snapshot if it pays, and lets go of the actor. Only for entities that are not busy. */
  sleep(): void {
    if (this.#actor && this.#revision - this.#snapshotRevision >= SNAPSHOT_PAYS) this.#keepSnapshot(this.#actor)
    this.#drop()
  }

  async #serve(): Promise<void> {
    this.#serving = true
    while (this.#queue.length > 0 || this.#stateAsked.length > 0) {
      const group = this.#queue.splice(0, GROUP)
      const asked = this.#stateAsked.splice(0)
      try {
        if (group.length > 0) await this.#answer(group)
        if (asked.length > 0) {
          const actor = await this.#freshen()
          for (const one of asked) one.resolve(this.#view(actor))
        }
      } catch (error) {
        this.#drop()
        for (const waiting of [...group, ...asked]) waiting.reject(error)
      }
    }
    this.#serving = false
  }

  async #answer(group: readonly Waiting<C>[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#decideAndAppend(group, await this.#freshen())
      } catch (error) {
        if (error instanceof WrongRevision && attempt < MAX_ATTEMPTS) {
          await new Promise((again) => setTimeout(again, Math.random() * 2 ** Math.min(attempt, 6)))
        } else if (error instanceof AppendTooLarge && group.length > 1) {
          const half = group.length >> 1
          await this.#answer(group.slice(0, half))
          return await this.#answer(group.slice(half))
        } else {
          const no = refusalFor(error)
          for (const { resolve } of group) resolve(no)
          return
        }
      }
    }
  }

  async #decideAndAppend(group: readonly Waiting<C>[], actor: Actor<S>): Promise<void> {
    const ahead = group.length > 1
    const proposed: Proposed[] = []
    const plans: Plan[] = []
    try {
      for (const waiting of group) {
        const plan = this.#plan(waiting, group, plans, actor, proposed.length)
        plans.push(plan)
        if (plan.kind !== 'append') continue
        for (const [nth, event] of plan.events.entries()) {
          proposed.push({ id: eventIdOf(waiting.id, nth), event, meta: metaOf(waiting, nth) })
          if (ahead) actor.onEvent(event)
        }
      }
      const first = this.#revision + 1
      let positions: readonly bigint[] = []
      if (proposed.length > 0) {
        const started = performance.now()
        positions = (await this.#parts.log.append(this.stream, this.#revision, proposed)).positions
        this.#parts.appended?.(performance.now() - started, proposed.length, positions.at(-1) ?? -1n)
        if (!ahead) for (const { event } of proposed) actor.onEvent(event)
        this.#revision += proposed.length
        this.#lastId = proposed.at(-1)?.id ?? ''
      }
      this.#settle(group, plans, answersTo(plans, { first, proposed, positions }))
    } catch (error) {
      const isLost = error instanceof WrongRevision && error.actual < error.expected
      if (isLost) this.#parts.onLostEvents?.()
      if (ahead || isLost || !(error instanceof WrongRevision)) this.#drop()
      this.#stale = true
      throw error
    }
    if (this.#revision - this.#snapshotRevision >= 2 * SNAPSHOT_PAYS) this.#keepSnapshot(actor)
  }

  /** `plans` are those of the commands before this one in the group. */
  #plan(
    waiting: Waiting<C>,
    group: readonly Waiting<C>[],
    plans: readonly Plan[],
    actor: Actor<S>,
    offset: number,
  ): Plan {
    if (waiting.key !== undefined) {
      const answered = this.#recall(waiting)
      if (answered) return answered
      // A refusal is not remembered, here as little as later: whoever asks again may be in time.
      const twin = plans.findIndex((plan, i) => group[i]?.key === waiting.key && !(plan instanceof Refusal))
      if (twin >= 0)
        return group[twin]?.digest === waiting.digest ? { kind: 'twin', of: twin } : refuse('client-id-reused')
      if (waiting.repeated) return unchangedAt(this.#revision + offset)
    }
    const decision = this.#parts.decide(actor.state(), waiting.command)
    if (decision instanceof Refusal) return decision
    if (decision.length > 0) return { kind: 'append', offset, events: decision }
    return unchangedAt(this.#revision + offset)
  }

  #recall({ key, id, digest }: Waiting<C>): Answer | undefined {
    if (key === undefined) return undefined
    const mark = this.#callRecord.get(key)
    if (!mark) return this.#unchanged.answerTo(key, digest)
    const [theirs, seq, position] = mark
    if (theirs !== digest) return refuse('client-id-reused')
    return { kind: 'done', id: eventIdOf(id, 0), seq, position: BigInt(position), events: [] }
  }

  #settle(group: readonly Waiting<C>[], plans: readonly Plan[], answers: readonly Answer[]): void {
    for (const [index, { key, digest, resolve }] of group.entries()) {
      const answer = answers[index] as Answer // one plan and one answer for each waiting command
      if (key !== undefined && answer.kind === 'done') {
        if (plans[index]?.kind === 'append') this.#callRecord.set(key, [digest, answer.seq, String(answer.position)])
        else if (plans[index]?.kind === 'done' && answer.id === null) this.#unchanged.note(key, digest, answer.seq)
      }
      resolve(answer)
    }
  }

  /** The actor, awake and not behind what is known to be recorded. */
  async #freshen(): Promise<Actor<S>> {
    if (this.#actor && !this.#stale && this.#unlearned <= this.#revision) return this.#actor
    this.#stale = false
    try {
      const actor = this.#actor ?? this.#restore()
      let check = this.#actor === undefined && this.#revision >= 0
      for await (const batch of this.#parts.log.read(this.stream, {
        from: check ? this.#revision : this.#revision + 1,
      })) {
        for (const recorded of batch) {
          if (!check) this.#learn(actor, recorded)
          else if (recorded.id !== this.#lastId) return this.#forgetSnapshot()
          check = false
        }
      }
      if (check) return this.#forgetSnapshot() // the log is shorter than the snapshot: it was put back from a backup
      this.#actor = actor
      return actor
    } catch (error) {
      this.#stale = true
      throw error
    }
  }

  #learn(actor: Actor<S>, { id, revision, position, event, meta }: Recorded): void {
    actor.onEvent(event)
    this.#revision = revision
    this.#lastId = id
    if (meta.client) this.#callRecord.set(meta.client.key, [meta.client.digest, revision, String(position)])
  }

  #restore(): Actor<S> {
    this.#drop()
    const { snapshots, machine, definition } = this.#parts
    const text = snapshots.load(this.stream)
    const snapshot = text === undefined ? undefined : decodeSnapshot(text, definition)
    if (!snapshot) return startActor<S>(machine)
    this.#revision = this.#snapshotRevision = snapshot.revision
    this.#lastId = snapshot.eventId
    this.#callRecord = new CallRecord(snapshot.marks)
    return startActor<S>(machine, snapshot.state)
  }

  #forgetSnapshot(): Promise<Actor<S>> {
    this.#drop()
    this.#parts.snapshots.save(this.stream, '')
    return this.#freshen()
  }

  #keepSnapshot(actor: Actor<S>): void {
    const snapshot = {
      revision: this.#revision,
      eventId: this.#lastId,
      state: actor.persist(),
      marks: this.#callRecord.toText(),
    }
    this.#parts.snapshots.save(this.stream, encodeSnapshot(snapshot, this.#parts.definition))
    this.#snapshotRevision = this.#revision
  }

  #view(actor: Actor<S>): View<S> {
    return { revision: this.#revision, state: actor.state() }
  }

  #drop(): void {
    this.#actor = undefined
    this.#revision = this.#snapshotRevision = -1
    this.#callRecord = new CallRecord()
  }
}

const ignore = (): void => undefined
