import type { Recorded } from '../../machines/kernel.ts'
import { type PersonRef, personName } from '../../machines/stream.ts'
import { posOf } from './cursor.ts'

/**
 * The name of a room: its kind, a space, and what it is about. No id holds a space, neither one of ours nor one that
 * Socket.IO makes, and no two kinds have one name: so whatever an organisation, a person or a course is called, its
 * rooms are its own. Above all none is that of a single socket, which Socket.IO calls by the socket's id.
 */
export type RoomName = `${string} ${string}`

/**
 * Who hears a notice: the connections in `room`, but for those that are in one of the rooms `except` as well. `kind` is
 * the contract's own word for such an audience; a replay shows it. Which connections are in a room is the gateway's
 * business.
 */
export interface Audience {
  readonly kind: string
  readonly room: RoomName
  /** A namespace of Socket.IO, or `STREAMS`. Default: `/`. */
  readonly namespace?: string
  readonly except?: readonly RoomName[]
}

/** In place of a namespace: those who read server-sent events. A person's streams are in the room of the person. */
export const STREAMS = 'server-sent events'

/** Every connection of a person is in this room, but for hubs: they look on and take no part. */
export const personRoom = (person: PersonRef): RoomName => `person ${personName(person)}`

/** Every hub of a person is in this room. */
export const hubRoom = (person: PersonRef): RoomName => `hub ${personName(person)}`

/** All connections of one person. */
export const toPerson = (org: string, id: string): Audience => ({ kind: 'person', room: personRoom({ org, id }) })

/**
 * One outgoing message: who hears it, under what name, with what data. `Wire` is the contract's table of names, so a
 * misspelt name or a missing field does not build. What a pace may do with it:
 *   - `part`: with other notices of its name that are about other parts, it may go out as one (`mergedPace`);
 *   - `latest`: a later notice of its name in its room takes its place (`latestPace`).
 */
export type Notice<Wire = Readonly<Record<string, object>>> = {
  [Name in keyof Wire & string]: {
    readonly to: Audience
    readonly name: Name
    readonly data: Wire[Name]
    readonly part?: string
    readonly latest?: true
  }
}[keyof Wire & string]

/**
 * Which event: every push about an entity carries it. `pos` is a cursor (`cursor.ts`): clients compare it, or hand it
 * back to be told what came after.
 */
export interface EventRef {
  readonly id: string
  readonly seq: number
  readonly pos: string
}

export const eventRef = (recorded: Pick<Recorded, 'id' | 'revision' | 'position'>): EventRef => ({
  id: recorded.id,
  seq: recorded.revision,
  pos: posOf(recorded),
})
