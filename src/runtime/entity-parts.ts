import type { Command, Decision, Event } from '../../machines/kernel.ts'
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
  /** Other processes write to the same log: whatever must be fresh is read from it. */
  readonly shared: boolean
  /** The log has lost what this entity has learned of it. */
  readonly onLostEvents?: (() => void) | undefined
  /** Called after each append. */
  readonly appended?: (milliseconds: number, events: number, last: bigint) => void
}

export interface View<S> {
  /** Of the last event; -1 = nothing has ever happened here. */
  readonly revision: number
  readonly state: S
}
