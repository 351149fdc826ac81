import type { Event, Recorded } from '../../machines/kernel.ts'
import type { PersonRef } from '../../machines/stream.ts'
import type { PersonRow } from '../../projections/people.ts'
import type { Checkpoint, Log } from '../log/log.ts'
import type { ViewStore } from '../views/store.ts'
import type { Notice } from './notice.ts'
import type { PlacedNotice } from './placed-notice.ts'

/** A row before and after one event; undefined = there is none. */
export interface Change<Row, E extends Event = Event> {
  readonly key: string
  readonly recorded: Recorded<E>
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/**
 * What a node keeps in memory of one category of entities, folded from the log as the node hears it, so that notices
 * and opening states are made between two events and without waiting.
 */
export interface Model<C> {
  /** Of the streams that it is folded from. */
  readonly category: string
  /** True for an event whose row is not in memory: `load` comes before `onEvent`. */
  isMissing(recorded: Recorded): boolean
  /** Puts the row into memory as it was before this event. */
  load(recorded: Recorded): Promise<void>
  /** The change that the event makes; undefined when it is no news here. */
  onEvent(recorded: Recorded): C | undefined
  /**
   * Loads what a starting node has to know. Gives an event that nothing in memory is behind, after which the log makes
   * the rest exact; null = the beginning of the log. What cannot be read is left out, and `onError` is told why.
   */
  seed(store: ViewStore, log: Log, onError: (error: unknown) => void): Promise<Checkpoint | null>
}

/** A model that can say what an event will change before it changes anything. */
export interface Foreseeing<C> extends Model<C> {
  /** What `onEvent` will give. Moves nothing. */
  changeOf(recorded: Recorded): C | undefined
}

/** People as a notice has to name them; undefined for somebody of whom nothing was ever recorded. */
export interface Profiles {
  get(person: PersonRef): PersonRow | undefined
}

/** What clients are told of the changes of one model. */
export type Feed<C> = NamelessFeed<C> | NamingFeed<C>

interface NamelessFeed<C> {
  readonly model: Model<C>
  readonly people?: undefined
  /** Pure: the same change tells the same, live, on resuming and in a replay. */
  readonly notices: (change: C, profiles: Profiles) => readonly Notice[]
  /** Default: each notice goes out at once. */
  readonly pace?: Pace<C>
}

interface NamingFeed<C> extends Omit<NamelessFeed<C>, 'model' | 'people'> {
  readonly model: Foreseeing<C>
  /**
   * Whom the notices name. The follower loads their profiles before the model moves: whoever is in the model is never
   * without a name, neither in a notice nor in an opening.
   */
  readonly people: (change: C) => readonly PersonRef[]
}

/** Between notices and connections. */
export interface Pace<C> {
  push(notices: readonly PlacedNotice[], change: C): void
  /** Forgets what waits: the node stops. */
  stop(): void
}
