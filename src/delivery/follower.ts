import type { Recorded } from '../../machines/kernel.ts'
import type { PersonRef } from '../../machines/stream.ts'
import { type BackOff, backOffMs } from '../back-off.ts'
import type { Clock } from '../clock.ts'
import {
  AnotherPast,
  type Checkpoint,
  type Following,
  type Log,
  type Recorded as Logged,
  LogUnavailable,
} from '../log/log.ts'
import type { Trail } from '../log/trail.ts'
import { pause } from '../pause.ts'
import { conditions } from './conditions.ts'
import { posOf, START } from './cursor.ts'
import type { Model } from './feed.ts'
import { type AnyFeed, type FeedNotices, openNotifier } from './notifier.ts'
import type { Outlet } from './outlet.ts'
import type { ProfileCache } from './profile-cache.ts'

export interface FollowerOptions {
  readonly log: Log
  readonly outlet: Outlet
  readonly profiles: ProfileCache
  readonly clock: Clock
  readonly onError: (error: unknown, recorded: Recorded | undefined) => void
  /** Told of every event that is followed. */
  readonly trail: Trail
  /** What was followed so far is not (any more) what the log holds: nothing more comes, and all of it may be wrong. */
  readonly onAnotherPast: (error: AnotherPast) => void
}

export interface FollowWhat {
  /** Every model, but for the profiles: they begin when the others have come to the end of the log. */
  readonly models: readonly Model<unknown>[]
  readonly feeds: readonly AnyFeed[]
  /** An event that no model is behind, see `Model.seed`; null = the beginning of the log. */
  readonly from: Checkpoint | null
  /** Who is online, once the models have come to the end of the log: notices may name them. */
  readonly online: () => Iterable<PersonRef>
  /** Told of every event after its notices are out, once live. */
  readonly onEvent: (recorded: Logged) => void
}

/**
 * Follows the log for this node's clients: moves the models, and pushes what the feeds tell, in the order of the log.
 */
export interface Follower {
  /** Position of the last event whose notices are out; -1 = none. */
  position(): bigint
  /** The same as a cursor: who has been told everything up to here. */
  pos(): string
  /** Waits until the models make it true; false when `signal` came first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean>
  /** Resolves when everything that stands in the log is in the models; from then on notices go out. */
  start(what: FollowWhat): Promise<void>
  /** Why nothing is followed any more, which only a new start of the node ends; null = it goes on. */
  ended(): string | null
  stop(): Promise<void>
}

/** Between attempts to read what an event needs, while the log does not answer. */
const READ_BACK_OFF: BackOff = { firstMs: 200, longestMs: 5_000 }

/** People who are looked up side by side: some notices name all who take part in something. */
const AT_ONCE = 16

export function openFollower(options: FollowerOptions): Follower {
  const { log, outlet, profiles, clock, trail, onError, onAnotherPast } = options
  const { until, check } = conditions()
  const notifier = openNotifier({ profiles, onError })
  const stopping = new AbortController()
  let position = -1n
  let pos = START
  let live = false
  let ended: string | null = null
  let following: Following | undefined
  let onEvent: FollowWhat['onEvent'] = () => {}

  const follow = async (batch: readonly Logged[]): Promise<void> => {
    for (const recorded of batch) {
      try {
        // Nearly always there is nothing to wait for, and an await per event would cost more than the event.
        const needed = missing(recorded)
        if (needed && !(await needed)) return
        // No wait from here on: an opening is made either before the models move or after the notices are out.
        const found = notifier.move(recorded, live)
        if (live) for (const one of found) tell(one, recorded)
      } catch (error) {
        onError(error, recorded)
      }
      position = recorded.position
      pos = posOf(recorded)
      trail.add(recorded)
      if (!live) continue
      try {
        onEvent(recorded)
      } catch (error) {
        onError(error, recorded) // a policy that fails must not end the pushes
      }
    }
    check()
  }

  /** Undefined when everything is here that the event needs; otherwise gets it, false when the node stops meanwhile. */
  const missing = (recorded: Logged): Promise<boolean> | undefined => {
    const models = notifier.missing(recorded)
    if (models.length === 0) {
      const strangers = strangersIn(recorded)
      return strangers.length === 0 ? undefined : meetAll(strangers, recorded)
    }
    return (async () => {
      for (const model of models) if (!(await read(() => model.load(recorded)))) return false
      return meetAll(strangersIn(recorded), recorded)
    })()
  }

  /** While nobody listens, nobody has to be named. */
  const strangersIn = (recorded: Logged): readonly PersonRef[] =>
    live ? notifier.people(recorded).filter((person) => !profiles.has(person)) : []

  const meetAll = async (strangers: readonly PersonRef[], recorded?: Recorded): Promise<boolean> => {
    for (let n = 0; n < strangers.length; n += AT_ONCE) {
      const met = await Promise.all(strangers.slice(n, n + AT_ONCE).map((person) => meet(person, recorded)))
      if (met.includes(false)) return false
    }
    return true
  }

  /** Whoever cannot be read is told of without a name: their own history must not silence what others do. */
  const meet = async (person: PersonRef, recorded?: Recorded): Promise<boolean> => {
    try {
      return await read(() => profiles.fetch(person))
    } catch (error) {
      onError(error, recorded)
      return true
    }
  }

  /** Tries until the log answers: an event that was left out would be wrong here for ever. False = the node stops. */
  const read = async (ask: () => Promise<unknown>): Promise<boolean> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        await ask()
        return true
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error
        onError(error, undefined)
        await pause(clock, backOffMs(failures, READ_BACK_OFF), stopping.signal)
      }
    }
    return false
  }

  const tell = ({ feed: { pace }, change, notices }: FeedNotices, recorded: Recorded): void => {
    try {
      if (pace) pace.push(notices, change)
      else for (const told of notices) outlet.push(told.notice.to, told.notice.name, told.notice.data, told)
    } catch (error) {
      onError(error, recorded) // notices that cannot be written must not silence the others
    }
  }

  return {
    position: () => position,
    pos: () => pos,
    until,
    async start(what) {
      for (const model of what.models) notifier.add(model, what.feeds)
      const { from } = what
      if (from) {
        position = from.position
        pos = posOf(from)
        trail.add(from)
      }
      const caughtUp = Promise.withResolvers<void>()
      following = log.follow({
        after: from ?? 'start',
        each: follow,
        caughtUp() {
          onEvent = what.onEvent
          live = true
          // Until here nobody listened, so nobody had to be named.
          notifier.add(profiles, what.feeds)
          caughtUp.resolve()
        },
        failed(error) {
          ended = error instanceof Error ? error.message : String(error)
          caughtUp.reject(error)
          if (error instanceof AnotherPast) onAnotherPast(error)
          else onError(error, undefined)
        },
      })
      await caughtUp.promise
      const here = [...what.online()]
      for (let n = 0; n < here.length; n += AT_ONCE) {
        const some = here.slice(n, n + AT_ONCE)
        await meetAll(some)
        for (const person of some) profiles.keep(person)
      }
    },
    ended: () => ended,
    async stop() {
      stopping.abort()
      await following?.stop()
    },
  }
}
