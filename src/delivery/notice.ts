/**
 * Who hears a notice, in terms of the contract; which sockets those are is the gateway's business. Ids are within the
 * organisation.
 */
export type Audience =
  /** Every agent, supervisor and admin of the organisation, but for the people in `except`. */
  | { readonly kind: 'staff'; readonly org: string; readonly except?: readonly string[] }
  | { readonly kind: 'agents'; readonly org: string }
  /** Supervisors and admins. */
  | { readonly kind: 'supervising'; readonly org: string; readonly except?: readonly string[] }
  /** The TeacherHubs of the organisation. */
  | { readonly kind: 'hubs'; readonly org: string }
  /** All sockets of one person. */
  | { readonly kind: 'person'; readonly org: string; readonly id: string }
  /** Everybody who is in a lesson; or those at its door, who have just come and do not know yet how it stands. */
  | { readonly kind: 'lesson' | 'door'; readonly lesson: string }
  /** The connections that watch a course. */
  | { readonly kind: 'course'; readonly course: string }

/**
 * One outgoing message: who hears it, under what name, with what data. `Wire` is the contract's table of names, so a
 * misspelt name or a missing field does not build.
 */
export type Notice<Wire> = {
  [Name in keyof Wire & string]: { readonly to: Audience; readonly name: Name; readonly data: Wire[Name] }
}[keyof Wire & string]

/**
 * Where the event behind a notice stands; every push about a room carries it. `pos` is opaque: compare for equality, or
 * hand it back.
 */
export interface EventRef {
  readonly id: string
  readonly seq: number
  readonly pos: string
}

export const eventRef = ({ id, revision, position }: { id: string; revision: number; position: bigint }): EventRef => ({
  id,
  seq: revision,
  pos: String(position),
})
