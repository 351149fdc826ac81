import type { Command, Decision, Event } from '../../machines/kernel.ts'
import type { StreamDamaged } from '../log/damaged.ts'
import type { Log } from '../log/log.ts'
import type { SnapshotStore } from './snapshots.ts'

/** What entities of one kind share. */
export interface EntityParts<S, C extends Command, E extends Event> {
  readonly machine: unknown
  /** Of the machine: a snapshot of another definition is worthless. */
  readonly definition: string
  readonly decide: (state: S, command: C) => Decision<E>
  readonly log: Log
  readonly snapshots: SnapshotStore
  /** Other processes write to the same log: what is known here may be behind it. */
  readonly shared: boolean
  /** The log has lost what this entity has learned of it. */
  readonly onLostEvents?: (() => void) | undefined
  /**
   * On a shared log: every awake entity is told what is recorded, and has been told everything up to the last event
   * that this node has acknowledged.
   */
  readonly isCurrent: () => boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told of every damage that is met. */
  readonly onDamaged: (damage: StreamDamaged) => void
  /** Called after each append, with the position of its last event. */
  readonly appended?: (milliseconds: number, events: number, last: bigint) => void
}

export interface View<S> {
  /** Of the last event; -1 = nothing has ever happened here. */
  readonly revision: number
  /** When it was recorded, milliseconds since 1970; 0 = nothing was. */
  readonly at: number
  readonly state: S
}
