import {
  type AnyKind,
  type Category,
  type CommandOf,
  catalogue,
  type Kinds,
  type StateOf,
} from '../../machines/catalogue.ts'
import type { Command, Event } from '../../machines/kernel.ts'
import type { Log, Recorded } from '../log/log.ts'
import { definitionHash } from './actor.ts'
import type { Answer, Call } from './answer.ts'
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
  /** A room that nobody has used for so long lets go of its actor. */
  readonly idleMs: number
  readonly appended?: (milliseconds: number, events: number) => void
}

/** All rooms of this node: awake on demand, asleep when idle. Any node may serve any room. */
export interface Entities {
  /** Asks one room to do something. A Done is on disk. Rejects only on a bug or a room whose history cannot be read. */
  ask<K extends Category>(category: K, id: string, command: CommandOf<K>, call?: Call): Promise<Answer>
  /** The first answer to a named call, if this room has taken it before; undefined for a call without a name. */
  remembered<K extends Category>(
    category: K,
    id: string,
    command: CommandOf<K>,
    call: Call,
  ): Promise<Answer | undefined>
  /** The state of one room after everything that is recorded in it. */
  state<K extends Category>(category: K, id: string): Promise<View<StateOf<K>>>
  /** What was recorded, by whatever node. Only needed on a shared log. */
  onEvent(recorded: Recorded): void
  awake(): number
  /**
   * Position of the last event that this node appended, -1 for none: a view that shows it shows its asker's own writes.
   */
  lastPosition(): bigint
  /** Waits for the commands in hand, puts every room to sleep and stops. Further commands are still answered. */
  stop(): Promise<void>
}

type AnyEntity = Entity<unknown, Command, Event>

export function openEntities(options: EntitiesOptions): Entities {
  const { log, snapshots, shared, now, idleMs, appended } = options
  const awake = new Map<string, AnyEntity>()
  let lastPosition = -1n
  const parts = new Map<string, EntityParts<unknown, Command, Event>>()
  for (const [category, { machine, decide }] of Object.entries<AnyKind>(options.kinds ?? catalogue)) {
    parts.set(category, {
      machine,
      definition: definitionHash(machine),
      decide,
      log,
      snapshots,
      shared,
      appended(milliseconds, events, last) {
        if (last > lastPosition) lastPosition = last
        appended?.(milliseconds, events)
      },
    })
  }

  const entityOf = (category: Category, id: string): AnyEntity => {
    const stream = `${category}-${id}`
    let room = awake.get(stream)
    if (!room) {
      const its = parts.get(category)
      if (!its) throw new Error(`no kind of room is called ${category}`)
      room = new Entity(stream, its)
      awake.set(stream, room)
    }
    room.usedAt = now()
    return room
  }

  const sweep = setInterval(
    () => {
      const before = now() - idleMs
      for (const [stream, room] of awake) {
        if (room.busy || room.usedAt > before) continue
        room.sleep()
        awake.delete(stream)
      }
    },
    Math.max(20, idleMs / 4),
  )
  sweep.unref()

  return {
    ask: (category, id, command, call = {}) => entityOf(category, id).ask(command, call),
    state: (category, id) => entityOf(category, id).state() as Promise<View<StateOf<typeof category>>>,
    remembered: (category, id, command, call) => entityOf(category, id).remembered(command, call),
    onEvent: (recorded) => awake.get(recorded.stream)?.onEvent(recorded),
    awake: () => awake.size,
    lastPosition: () => lastPosition,
    async stop() {
      clearInterval(sweep)
      for (const room of awake.values()) {
        if (room.busy) await room.state().catch(() => undefined) // answered after all that waits before it
        if (!room.busy) room.sleep()
      }
    },
  }
}
