/**
 * The words every machine speaks. Nothing here knows about sockets, storage or time.
 *
 *   command   what somebody asks for; may be refused, is never stored
 *   event     what happened; already true, stored for ever, never refused
 *   refusal   why a command produced nothing; a value, not an exception
 */
export interface Event {
  readonly type: string
}

/**
 * An event as it stands in the log: `revision` counts from 0 within its stream, `position` grows over the whole log
 * with gaps (opaque: compare and serialise, never compute), `at` is the log's own clock in milliseconds and orders
 * nothing.
 */
export interface Recorded<E extends Event = Event> {
  readonly id: string
  readonly stream: string
  readonly revision: number
  readonly position: bigint
  readonly at: number
  readonly event: E
}

/** What the log's codec must know of one event type: event names are for ever, their shapes have versions. */
export interface EventSchema {
  /** Of the shape written today; older ones pass through `upcasts[theirVersion]`, one step at a time. */
  readonly version: number
  /**
   * Top-level fields that hold personal data: stored apart from the rest, so that they can be encrypted per person
   * later.
   */
  readonly personal: readonly string[]
  readonly upcasts: Readonly<
    Record<number, (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>>
  >
}

/** A command carries who asks and when (`at`, milliseconds since 1970): machines have no clock of their own. */
export interface Command {
  readonly type: string
  readonly by: Party
  readonly at: number
}

export type Role = 'visitor' | 'agent' | 'supervisor' | 'admin' | 'teacher' | 'student'

/** Who asks. `system` is Lyceum itself: policies, timers, the first start. */
export interface Party {
  readonly id: string
  readonly org: string
  readonly role: Role | 'system'
}

export type StaffRole = 'agent' | 'supervisor' | 'admin'

const STAFF_RANK: Partial<Record<Party['role'], number>> = { agent: 1, supervisor: 2, admin: 3 }

/** agent 1 < supervisor 2 < admin 3; everybody else 0. */
export const rankOf = (role: Party['role']): number => STAFF_RANK[role] ?? 0
export const isStaff = (role: Party['role']): role is StaffRole => rankOf(role) > 0
export const isSupervising = (role: Party['role']): role is 'supervisor' | 'admin' => rankOf(role) >= 2

/**
 * A "no" that was to be expected. `details` fill the sentence that the contract makes of the code; they never hold
 * secrets.
 */
export class Refusal<Code extends string = string> {
  readonly kind = 'refusal'
  readonly code: Code
  readonly details: Readonly<Record<string, string>>
  constructor(code: Code, details: Readonly<Record<string, string>> = {}) {
    this.code = code
    this.details = details
  }
}

export const refuse = <Code extends string>(code: Code, details?: Readonly<Record<string, string>>): Refusal<Code> =>
  new Refusal(code, details)

/** No events = nothing to change, the asker is answered yes: asking twice is harmless. */
export type Decision<E extends Event> = readonly E[] | Refusal

/** Ends an exhaustive switch: a new member of the union stops the build here. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable case: ${JSON.stringify(value)}`)
}
