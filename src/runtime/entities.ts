import {
  type AnyKind,
  type Category,
  type CommandOf,
  catalogue,
  type Kinds,
  type StateOf,
} from '../../machines/catalogue.ts'
import { type Command, type Event, Refusal } from '../../machines/kernel.ts'
import { streamName } from '../../machines/stream.ts'
import { systemClock } from '../clock.ts'
import { StreamDamaged } from '../log/damaged.ts'
import type { Log, Recorded } from '../log/log.ts'
import { definitionHash } from './actor.ts'
import type { Answer, Call } from './answer.ts'
import { damagedEntities } from './damaged-entities.ts'
import { Entity } from './entity.ts'
import type { EntityParts, View } from './entity-parts.ts'
import type { SnapshotStore } from './snapshots.ts'

export interface EntitiesOptions {
  /** Stream category -> kind of entity. Default: the catalogue. */
  readonly kinds?: Kinds
  readonly log: Log
  readonly snapshots: SnapshotStore
  /** Other processes write to the same log. */
  readonly shared: boolean
  readonly now: () => number
  /** Milliseconds that only ever go on, for what follows. Default: those of the system. */
  readonly elapsed?: () => number
  /** An entity that nobody has used for so long lets go of its actor. */
  readonly idleMs: number
  readonly appended?: (milliseconds: number, events: number) => void
  /** Told of damage to an entity, each time that somebody meets it. Default: nobody is. */
  readonly onDamaged?: (damage: StreamDamaged) => void
  /** The log lacks events that an awake entity has learned from it: it was put back from a backup, or replaced. */
  readonly onLostEvents?: () => void
}

/** All entities of this node: awake on demand, asleep when idle. Any node may serve any entity. */
export interface Entities {
  /**
   * Asks one entity to do something. A Done is on disk. Rejects only on a bug, or when the disk is broken.
   */
  ask<K extends Category>(category: K, id: string, command: CommandOf<K>, call?: Call): Promise<Answer>
  /** The first answer to a named call, if this entity has taken it before; undefined for a call without a name. */
  remembered<K extends Category>(
    category: K,
    id: string,
    command: CommandOf<K>,
    call: Call,
  ): Promise<Answer | undefined>
  /**
   * The state of one entity after everything that this node has acknowledged. What another node has recorded in the
   * last moments may be missing, as long as this one has not heard of it: see `latest`. Rejects with StreamDamaged and
   * LogUnavailable.
   */
  state<K extends Category>(category: K, id: string): Promise<View<StateOf<K>>>
  /** The state of one entity after everything that is recorded in it, by whatever node. */
  latest<K extends Category>(category: K, id: string): Promise<View<StateOf<K>>>
  /**
   * What `judge` makes of the state. A refusal is made of the latest state, since what was not heard yet could overturn
   * it.
   */
  judged<K extends Category, T>(
    category: K,
    id: string,
    judge: (view: View<StateOf<K>>) => T | Refusal,
  ): Promise<T | Refusal>
  /**
   * Only needed on a shared log: from now on `onEvent` is told everything that is recorded, by whatever node, in order;
   * `heard` = the position up to which it was. Until then every answer looks at the log.
   */
  listen(heard: () => bigint): void
  onEvent(recorded: Recorded): void
  awake(): number
  /** Of all that is awake nothing is believed any more: whoever is asked next is read from the log. */
  forget(): void
  /**
   * Position of the last event that this node appended, -1 for none: a view that shows it shows its asker's own writes.
   */
  lastPosition(): bigint
  /** Waits for the commands in hand, puts every entity to sleep and stops. Further commands are still answered. */
  stop(): Promise<void>
}

type AnyEntity = Entity<unknown, Command, Event>

/**
 * Beyond so many that are awake each that wakes puts others to sleep before they are idle: thousands that are needed
 * once, by a policy at the start or by a crowd, are not to be in memory at once.
 */
const MAX_AWAKE = 5_000
/** So long an entity remembers what nothing in the log tells, also then. */
const LEAST_AWAKE_MS = 10_000
/** Looked at for each that wakes: more than one, so that their number goes down. */
const LOOKED_AT = 4

export function openEntities(options: EntitiesOptions): Entities {
  const { log, snapshots, shared, now, elapsed = systemClock.elapsed, idleMs, appended, onDamaged = () => {} } = options
  const damaged = damagedEntities(onDamaged)
  const awake = new Map<string, AnyEntity>()
  let lastPosition = -1n
  let heard: (() => bigint) | undefined
  const isCurrent = (): boolean => heard !== undefined && heard() >= lastPosition
  const parts = new Map<string, EntityParts<unknown, Command, Event>>()
  for (const [category, { machine, decide }] of Object.entries<AnyKind>(options.kinds ?? catalogue)) {
    parts.set(category, {
      machine,
      definition: definitionHash(machine),
      decide,
      log,
      snapshots,
      shared,
      isCurrent,
      now,
      onDamaged: damaged.found,
      onLostEvents: options.onLostEvents,
      appended(milliseconds, events, last) {
        if (last > lastPosition) lastPosition = last
        appended?.(milliseconds, events)
      },
    })
  }

  const entityOf = (category: Category, id: string): AnyEntity => {
    const stream = streamName(category, id)
    let entity = awake.get(stream)
    if (!entity) {
      const its = parts.get(category)
      if (!its) throw new Error(`no kind of entity is called ${category}`)
      entity = new Entity(stream, its)
      awake.set(stream, entity)
      if (awake.size > MAX_AWAKE) relieve()
    }
    entity.usedAt = elapsed()
    return entity
  }

  /** Puts some of the longest awake to sleep; those that are in use go to the end of the line. */
  const relieve = (): void => {
    const before = elapsed() - LEAST_AWAKE_MS
    let looked = 0
    for (const [stream, entity] of awake) {
      if (++looked > LOOKED_AT) return
      awake.delete(stream)
      if (entity.busy || (entity.usedAt > before && entity.unchanged.size > 0)) awake.set(stream, entity)
      else entity.sleep()
    }
  }

  const sweep = setInterval(
    () => {
      const before = elapsed() - idleMs
      for (const [stream, entity] of awake) {
        if (entity.busy || entity.usedAt > before) continue
        entity.sleep()
        awake.delete(stream)
      }
    },
    Math.max(20, idleMs / 4),
  )
  sweep.unref()

  const told = (error: unknown): never => {
    if (error instanceof StreamDamaged) damaged.found(error)
    throw error
  }

  // The state is that of the category's machine.
  const stateOf = async <K extends Category>(category: K, id: string, look: 'state' | 'latest') => {
    const view = await entityOf(category, id)[look]().catch(told)
    damaged.answered(streamName(category, id))
    return view as View<StateOf<K>>
  }

  return {
    async ask(category, id, command, call = {}) {
      const stream = streamName(category, id)
      const known = command.by.role === 'system' ? damaged.answerTo(stream) : undefined
      if (known) {
        call.entered?.()
        return known
      }
      const answer = await entityOf(category, id).ask(command, call)
      damaged.answered(stream, answer)
      return answer
    },
    state: (category, id) => stateOf(category, id, 'state'),
    latest: (category, id) => stateOf(category, id, 'latest'),
    async judged(category, id, judge) {
      const first = judge(await stateOf(category, id, 'state'))
      return first instanceof Refusal && shared ? judge(await stateOf(category, id, 'latest')) : first
    },
    remembered: (category, id, command, call) => entityOf(category, id).remembered(command, call).catch(told),
    listen(position) {
      heard = position
      for (const entity of awake.values()) entity.doubt() // what was recorded since it woke may not have been told
    },
    onEvent: (recorded) => awake.get(recorded.stream)?.onEvent(recorded),
    awake: () => awake.size,
    forget: () => awake.clear(),
    lastPosition: () => lastPosition,
    async stop() {
      clearInterval(sweep)
      for (const entity of awake.values()) {
        if (entity.busy) await entity.state().catch(() => undefined) // answered after all that waits before it
        if (!entity.busy) entity.sleep()
      }
    },
  }
}
