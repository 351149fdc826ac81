import type { Event, Refusal } from '../../machines/kernel.ts'

/** How a command is asked. Everything is optional: without it the command is one of a kind and nobody's consequence. */
export interface Call {
  /**
   * The client's own name for this call (`client_id`, `Idempotency-Key`; 1..128 characters). The same name from the
   * same person in the same entity gives the first answer again and adds nothing; with another payload it is refused
   * (`client-id-reused`).
   */
  readonly clientId?: string
  /**
   * What the client sent, for the digest that tells a repeat from a reuse. Default: the command without `by` and `at`.
   */
  readonly payload?: unknown
  /**
   * The call is known to have been answered yes before: if the entity has no event of it, it changed nothing then, and
   * changes nothing now, whatever has happened since.
   */
  readonly repeated?: boolean
  /** The id of the event that made a policy ask. */
  readonly causedBy?: string
  /**
   * Called in the moment in which the command stands in the mailbox, or in a queue in front of it, or was refused
   * there: whatever is asked of the same entity from now on is decided after it.
   */
  readonly entered?: () => void
}

/** A command that was accepted, and is on disk. */
export interface Done {
  readonly kind: 'done'
  /** Id of the first event that the command made; null when it changed nothing. */
  readonly id: string | null
  /** Revision of the first event that it made, or the entity's last revision when it changed nothing. */
  readonly seq: number
  /**
   * Where its events are in the log, null when it changed nothing: whoever has heard everything up to here has heard
   * them. Of what was appended together this is the last event's position; a repeat may know that of its own first
   * event alone.
   */
  readonly position: bigint | null
  /** The events it made; empty when it changed nothing or when it repeats an earlier call. */
  readonly events: readonly Event[]
}

export type Answer = Done | Refusal
