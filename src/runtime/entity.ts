import { type Command, type Event, Refusal, refuse } from '../../machines/kernel.ts'
import { AppendTooLarge, type Proposed, type Recorded, WrongRevision } from '../log/log.ts'
import type { Actor } from './actor.ts'
import type { Answer, Call } from './answer.ts'
import { eventIdOf, identify, metaOf, nthEventOf, type Waiting } from './call.ts'
import { Courtesy } from './courtesy.ts'
import type { EntityParts, View } from './entity-parts.ts'
import { HeardEvents } from './heard-events.ts'
import { KnownStream } from './known-stream.ts'
import { refusalFor } from './log-refusals.ts'
import { NoOpCalls, unchangedAt } from './no-op-calls.ts'
import { answersTo, mayBeOverturned, type Plan } from './plans.ts'

const MAILBOX = 256
const GROUP = 64
/** Conflicts are decided again at least so often, and for at least so long. */
const ATTEMPTS = 10
const PATIENCE_MS = 5_000
/** So often what the first one wrote is waited for: it is heard sooner than read. Whoever goes on losing reads it. */
const HEARING = 4

/**
 * One entity awake: its machine's state, the revision it has seen, and a bounded mailbox. Order is the whole point:
 * decide, append, move, answer. Commands that wait together are decided one after another on the moving actor and
 * appended as one; if that append fails, the actor (which ran ahead) goes back to where it was. Nobody outside sees it
 * while it is ahead.
 */
export class Entity<S, C extends Command, E extends Event> {
  readonly stream: string
  /** When it was last used, by elapsed time. */
  usedAt = 0
  readonly unchanged = new NoOpCalls()
  readonly #parts: EntityParts<S, C, E>
  readonly #known: KnownStream<S>
  #stale = false
  /** The log itself was looked at since the serving of this group began. */
  #looked = false
  /** The highest revision that is known to be recorded and was not learned at once. */
  #unlearned = -1
  readonly #heard = new HeardEvents()
  readonly #courtesy = new Courtesy()
  #serving = false
  #queue: Waiting<C>[] = []
  #stateAsked: PromiseWithResolvers<View<S>>[] = []

  constructor(stream: string, parts: EntityParts<S, C, E>) {
    this.stream = stream
    this.#parts = parts
    this.#known = new KnownStream(stream, parts)
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

  /**
   * The state after everything that this node has acknowledged, and whatever else it has heard: without a look at the
   * log, where the entity is awake.
   */
  state(): Promise<View<S>> {
    return this.#askState(this.#parts.shared && !this.#parts.isCurrent())
  }

  /** The state after everything that is recorded, by whatever node: looks at a shared log each time. */
  latest(): Promise<View<S>> {
    return this.#askState(this.#parts.shared)
  }

  #askState(look: boolean): Promise<View<S>> {
    const { actor } = this.#known
    if (actor && !look && !this.#serving && !this.#isBehind()) return Promise.resolve(this.#known.view(actor))
    const asked = Promise.withResolvers<View<S>>()
    this.#stateAsked.push(asked)
    if (look) this.#stale = true
    if (!this.#serving) void this.#serve()
    return asked.promise
  }

  /**
   * The first answer to a named call that this entity has taken before (or the refusal of its reuse); undefined when it
   * has not.
   */
  async remembered(command: C, call: Call): Promise<Answer | undefined> {
    const waiting = identify(this.stream, command, call, ignore, ignore)
    await this.state()
    const known = this.#recall(waiting)
    if (known || !this.#parts.shared) return known
    await this.latest()
    return this.#recall(waiting)
  }

  /**
   * An event of this entity, from the log: what other nodes write keeps an awake entity up to date, so that
   * conflicts are rare.
   */
  onEvent(recorded: Recorded): void {
    const { actor, revision } = this.#known
    if (!actor || recorded.revision <= revision) return
    // While it serves this is mostly its own append, which comes before the answer to it: that shows only afterwards.
    if (this.#serving || recorded.revision > revision + 1) {
      this.#unlearned = Math.max(this.#unlearned, recorded.revision)
      if (this.#serving) this.#heard.add(recorded, revision)
    } else {
      this.#courtesy.othersWrote()
      this.#stale = true // also when it cannot be learned: then nothing may be decided on the state before it
      this.#known.learn(actor, recorded)
      this.#stale = false
    }
  }

  /** Something may have been recorded that it was not told: it looks before it answers again. */
  doubt(): void {
    this.#stale = true
  }

  /** Keeps a snapshot if it pays, and lets go of the actor. Only for entities that are not busy. */
  sleep(): void {
    if (this.#known.actor) this.#known.keep(this.#known.actor, false)
    this.#known.drop()
  }

  async #serve(): Promise<void> {
    this.#serving = true
    while (this.#queue.length > 0 || this.#stateAsked.length > 0) {
      const group = this.#queue.splice(0, GROUP)
      const asked = this.#stateAsked.splice(0)
      this.#looked = false
      try {
        if (group.length > 0) await this.#answer(group)
        if (asked.length > 0) {
          const actor = await this.#freshen()
          for (const one of asked) one.resolve(this.#known.view(actor))
        }
      } catch (error) {
        this.#known.drop()
        for (const waiting of [...group, ...asked]) waiting.reject(error)
      }
    }
    this.#serving = false
  }

  async #answer(group: readonly Waiting<C>[]): Promise<void> {
    const gap = this.#courtesy.gap()
    if (gap) await gap
    const until = performance.now() + PATIENCE_MS
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#decideAndAppend(group, await this.#freshen())
      } catch (error) {
        if (error instanceof WrongRevision && (attempt < ATTEMPTS || performance.now() < until)) {
          if (attempt <= HEARING) await this.#heard.until(error.actual, (1 + Math.random()) * 2 ** attempt)
        } else if (error instanceof AppendTooLarge && group.length > 1) {
          const half = group.length >> 1
          await this.#answer(group.slice(0, half))
          return await this.#answer(group.slice(half))
        } else {
          const no = refusalFor(error, this.#parts.onDamaged)
          for (const { resolve } of group) resolve(no)
          return
        }
      }
    }
  }

  async #decideAndAppend(group: readonly Waiting<C>[], actor: Actor<S>): Promise<void> {
    const ahead = group.length > 1
    const before = actor.mark()
    const proposed: Proposed[] = []
    const plans: Plan[] = []
    let at = this.#known.lastAt // nothing is decided before what is recorded, whatever the nodes' clocks say
    try {
      for (const waiting of group) {
        at = Math.max(at, waiting.command.at)
        const timed = { ...waiting, command: { ...waiting.command, at } }
        const plan = this.#plan(timed, group, plans, actor, proposed.length)
        plans.push(plan)
        if (plan.kind !== 'append') continue
        for (const [nth, event] of plan.events.entries()) {
          proposed.push({ id: nthEventOf(waiting, nth), event, meta: metaOf(waiting, nth) })
          if (ahead) actor.onEvent(event)
        }
      }
      if (proposed.length === 0 && plans.some(mayBeOverturned) && !(await this.#isLatest(actor)))
        return await this.#decideAndAppend(group, actor)
      const first = this.#known.revision + 1
      let position: bigint | null = null
      if (proposed.length > 0) {
        const started = performance.now()
        position = await this.#known.append(actor, proposed, at, ahead)
        const ms = performance.now() - started
        this.#courtesy.appended(ms)
        this.#parts.appended?.(ms, proposed.length, position)
      }
      this.#settle(group, plans, answersTo(plans, { first, proposed, position }))
    } catch (error) {
      const isLost = error instanceof WrongRevision && error.actual < error.expected
      if (isLost) this.#parts.onLostEvents?.()
      if (isLost || !(error instanceof WrongRevision)) {
        this.#known.drop()
        this.#stale = true
      } else {
        if (ahead) actor.rewind(before)
        this.#unlearned = Math.max(this.#unlearned, error.actual)
        this.#courtesy.othersWrote()
      }
      throw error
    }
    this.#known.keep(actor, true)
  }

  /**
   * Nothing is recorded that is not known here, as far as the log says now; otherwise it is learned, and false. An
   * append asks the same by its expected revision, so that only who appends nothing has to look.
   */
  async #isLatest(actor: Actor<S>): Promise<boolean> {
    if (!this.#parts.shared || this.#looked) return true
    const before = this.#known.revision
    await this.#known.look(actor)
    this.#looked = true
    return this.#known.revision === before
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
      if (waiting.repeated) return unchangedAt(this.#known.revision + offset)
    }
    const decision = this.#parts.decide(actor.state(), waiting.command)
    if (decision instanceof Refusal) return decision
    if (decision.length > 0) return { kind: 'append', offset, events: decision }
    return unchangedAt(this.#known.revision + offset)
  }

  #recall({ key, id, digest }: Waiting<C>): Answer | undefined {
    if (key === undefined) return undefined
    const mark = this.#known.calls.get(key)
    if (!mark) return this.unchanged.answerTo(key, digest)
    const [theirs, seq, position] = mark
    if (theirs !== digest) return refuse('client-id-reused')
    return { kind: 'done', id: eventIdOf(id, 0), seq, position: BigInt(position), events: [] }
  }

  #settle(group: readonly Waiting<C>[], plans: readonly Plan[], answers: readonly Answer[]): void {
    for (const [index, { key, digest, resolve }] of group.entries()) {
      const answer = answers[index] as Answer // one plan and one answer for each waiting command
      if (key !== undefined && answer.kind === 'done') {
        if (plans[index]?.kind === 'append') this.#known.calls.set(key, [digest, answer.seq, String(answer.position)])
        else if (plans[index]?.kind === 'done' && answer.id === null) this.unchanged.note(key, digest, answer.seq)
      }
      resolve(answer)
    }
  }

  /** The actor, awake and not behind what is known to be recorded. */
  async #freshen(): Promise<Actor<S>> {
    const { actor, revision } = this.#known
    if (actor) for (const recorded of this.#heard.take(revision)) this.#known.learn(actor, recorded)
    if (actor && !this.#isBehind()) return actor
    this.#stale = false
    try {
      const awake = await this.#known.wake()
      this.#looked = true
      return awake
    } catch (error) {
      this.#stale = true
      throw error
    }
  }

  #isBehind(): boolean {
    return this.#stale || this.#unlearned > this.#known.revision
  }
}

const ignore = (): void => undefined
