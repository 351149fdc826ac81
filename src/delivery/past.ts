import type { Recorded } from '../../machines/kernel.ts'
import type { OnlineRow } from '../../projections/online.ts'
import type { Connection } from './connection.ts'
import type { LiveModel } from './live-model.ts'
import type { AnyFeed } from './notifier.ts'
import type { ProfileCache } from './profile-cache.ts'

/** Somebody who has been away: what they may hear follows from these. */
export type Hearer = Pick<Connection, 'kind' | 'party' | 'query'>

/** A stream in which something may have been told to somebody. */
export interface PastStream {
  readonly name: string
  /**
   * True for an event after which the stream's past does not matter to its models, because they have let go of it or
   * load what they need of it: long streams are read from such a one. Default: read from the beginning.
   */
  readonly endsPast?: (recorded: Recorded) => boolean
}

/** Models of a catch-up: they begin empty, and know what the streams tell. */
export interface PastModels {
  readonly online: LiveModel<OnlineRow>
  readonly profiles: ProfileCache
  /** The streams that are read. */
  readonly streams: ReadonlySet<string>
}

/**
 * What a contract tells again to somebody who was away. The feeds are those of live, on models of their own, so that
 * they are told what they would have been told.
 */
export interface Past {
  /**
   * Every stream that holds something that was told to them, or in the rooms that they were in all the time, at
   * positions from `from` to `upTo`; others may be among them. Rejects with ViewsUnavailable and LogUnavailable.
   */
  streams(hearer: Hearer, from: bigint, upTo: bigint, rooms: readonly string[]): Promise<readonly PastStream[]>
  feeds(models: PastModels, hearer: Hearer): readonly AnyFeed[]
  /**
   * What gives the data of a notice as it goes out, where the notice does not say it, or null: it is not told any more.
   * Undefined: the notice says all of it.
   */
  completing?(name: string, data: object): (() => Promise<object | null>) | undefined
  /**
   * The rooms that they enter and leave by an event, as they do live. To be called before its notices are looked at.
   */
  move?(change: unknown, hearer: Hearer, rooms: Set<string>): void
}
