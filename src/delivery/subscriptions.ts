import type { KeptTopic } from '../../machines/client/machine.ts'
import type { Party, Recorded, Refusal, Role } from '../../machines/kernel.ts'
import type { Connection, Outcome } from './connection.ts'
import type { Listener } from './listeners.ts'
import type { EventRef, Notice, RoomName } from './notice.ts'

/** What a subscriber is told on entering, or on asking. */
export type TopicState = { readonly name: string; readonly data: EventRef & object }

/** Something that connections subscribe to, one by one: the sessions of a course, the votes of a poll. */
export interface Topic {
  /** Tells it from other topics, in what is recorded of a client. Never changes. */
  readonly name: string
  /** The rooms that this person enters. */
  rooms(id: string, by: Party): readonly RoomName[]
  /** The entity whose events take subscribers of this id out. Default: that of the same id. */
  readonly entityOf?: (id: string) => string
  /**
   * Whether this person may subscribe, as the entity itself says it at the moment (views follow later): the entity's
   * revision, or why not.
   */
  admits(id: string, by: Party): Promise<number | Refusal>
  /**
   * Prepares the opening state; what it gives is called in the very turn in which the connection enters, so that
   * nothing is missed and nothing is told twice.
   */
  opening(id: string): Promise<() => TopicState>
  /** Of the streams whose events may take subscribers out. */
  readonly category: string
  /** Whom an event takes out; null = nobody. */
  takesOut(recorded: Recorded): TakenOut | null
  /**
   * True: whoever comes back is told by the contract's `past` what they have missed. Default: they are told the opening
   * state, if it is news.
   */
  readonly hasPast?: true
  /** Somebody has entered again whose connection was lost, and who does not ask for it. */
  readonly entered?: (id: string, from: Connection) => Promise<void>
  /** The stream in which it is said what whoever leaves is to hear before they are out. Default: there is none. */
  readonly saidIn?: (id: string) => string
  /** Resolves when what this node has heard of it has gone out. Default: it goes out as it is heard. */
  told?(id: string): Promise<void>
  /** What somebody who was taken out is told; `isGone`: with everybody else. */
  farewell(id: string, isGone: boolean): Pick<Notice, 'name' | 'data'>
}

/** A subscription that goes on, or is over. */
export interface Restored {
  /** That it is in, or was in until it was over. */
  readonly rooms: readonly string[]
  /** Of what is told there it has missed what stands after the one position and before the other. */
  readonly stay?: Stay
  /** What it is told besides what it has missed, as of the moment. */
  readonly tell?: () => Retold
  /** That it is over, to be told after what stands before this event. */
  readonly farewell?: Farewell
}

/** Positions in the log. */
export interface Stay {
  readonly after: bigint
  /** Null: it goes on. */
  readonly before: bigint | null
}

export interface Farewell extends Pick<Notice, 'name' | 'data'> {
  readonly endedBy: Pick<Recorded, 'id' | 'position'>
}

/** `pos` null: it is told whatever was heard before. */
export interface Retold extends Pick<Notice, 'name' | 'data'> {
  readonly pos: string | null
}

/** This person may not look on any more, says the event with this revision. */
export interface TakenOut {
  /** What they may not look at: every id of this entity (`Topic.entityOf`). */
  readonly topic: string
  /** Null: in any role. */
  readonly role: Role | null
  /** Null: nobody may. */
  readonly person: string | null
  readonly seq: number
}

/** The subscriptions of one topic. What one connection wants of one id happens in the order in which it was asked. */
export interface Subscriptions extends Listener {
  /** Enters, and tells the opening state. Twice is the same subscription, told again. */
  subscribe(id: string, from: Connection): Promise<Outcome>
  unsubscribe(id: string, from: Connection): Promise<Outcome>
  /**
   * Enters again what a client had subscribed to whose connection was lost; `after` is the position up to which it has
   * heard. `tell` is to be called in the turn up to which it is told what it has missed.
   */
  restore(kept: readonly KeptTopic[], from: Connection, after: bigint): Promise<readonly Restored[]>
  /** Tells the opening state under the name `as`, without entering. */
  read(id: string, from: Connection, as: string): Promise<Outcome>
}
