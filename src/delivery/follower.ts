import { CHAT_STREAM, type ChatRow, chats } from '../../projections/chats.ts'
import type { AttendanceDelivery } from '../contracts/attendance/delivery.ts'
import type { LessonDelivery } from '../contracts/lessons/delivery.ts'
import { announce, namedBy, openingOf, openingTextOf } from '../contracts/support-chat/announce.ts'
import { Desk } from '../contracts/support-chat/desk.ts'
import type { StaffInit } from '../contracts/support-chat/wire.ts'
import { type Log, LogUnavailable, type Recorded } from '../log/log.ts'
import type { JsonText } from './json-text.ts'
import type { Outlet } from './outlet.ts'
import { ProfileCache } from './profile-cache.ts'

export interface FollowerOptions {
  readonly log: Log
  readonly outlet: Outlet
  readonly lessons: LessonDelivery
  readonly attendance: AttendanceDelivery
  /**
   * Puts rows on the desk as the views hold them and tells a position that none of them is behind; null = none, start
   * at the beginning.
   */
  readonly seed: (desk: Desk) => Promise<bigint | null>
  /** Told of every event after its pushes are out, once live. */
  readonly onEvent: (recorded: Recorded) => void
  readonly onError: (error: unknown, recorded: Recorded | undefined) => void
}

/**
 * Follows the log for this node's clients: moves the desk, and pushes what the contract says in the order of the log.
 */
export interface Follower {
  readonly desk: Desk
  readonly profiles: ProfileCache
  /** Position of the last event whose pushes are out; -1 = none. */
  position(): bigint
  /**
   * What a staff member is told on arrival. Enter the rooms first, in the same tick: then nothing is missed and nothing
   * doubled.
   */
  opening(org: string): StaffInit
  /**
   * The same as JSON, made from parts that were written before: with 10,000 chats in the queue that is most of the
   * work.
   */
  openingText(org: string): JsonText<StaffInit>
  /** Waits until the desk makes it true; false when `signal` came first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean>
  stop(): Promise<void>
}

/** Resolves when everything that stands in the log is on the desk; from then on pushes go out. */
export async function openFollower({
  log,
  outlet,
  lessons,
  attendance,
  seed,
  onEvent,
  onError,
}: FollowerOptions): Promise<Follower> {
  const desk = new Desk()
  const profiles = new ProfileCache(log)
  const waiting = new Set<() => void>()
  let position = (await seed(desk)) ?? -1n
  let live = false

  const follow = async (batch: readonly Recorded[]): Promise<void> => {
    for (const recorded of batch) {
      try {
        // Nearly always there is nothing to wait for, and an await per event would cost more than the event.
        if (desk.lacks(recorded)) await recall(recorded)
        if (live && missing(recorded)) await introduce(recorded)
        const notices = announce(desk, profiles, recorded)
        if (live) for (const { to, name, data } of notices) outlet.push(to, name, data)
        if (lessons.lacks(recorded)) await lessons.recall(recorded)
        lessons.hear(recorded, live)
        if (attendance.lacks(recorded)) await attendance.recall(recorded)
        attendance.hear(recorded, live)
      } catch (error) {
        onError(error, recorded)
      }
      position = recorded.position
      if (!live) continue
      try {
        onEvent(recorded)
      } catch (error) {
        onError(error, recorded) // a policy that fails must not end the pushes
      }
    }
    for (const look of waiting) look()
  }

  const missing = (recorded: Recorded): boolean => {
    const { org, ids } = namedBy(desk, recorded)
    return ids.some((id) => !profiles.has(org, id))
  }

  const introduce = async (recorded: Recorded): Promise<void> => {
    const { org, ids } = namedBy(desk, recorded)
    for (const id of ids) await meet(org, id, recorded)
  }

  /** Whoever cannot be read is told of without a name: their own history must not silence what others do. */
  const meet = async (org: string, id: string, recorded?: Recorded): Promise<void> => {
    try {
      await profiles.load(org, id)
    } catch (error) {
      if (error instanceof LogUnavailable) throw error
      onError(error, recorded)
    }
  }

  /** Makes the row of a chat that left the desk long ago, as it was before this event. */
  const recall = async ({ stream, revision }: Recorded): Promise<void> => {
    let row: ChatRow | undefined
    for await (const batch of log.read(stream, { limit: revision }))
      for (const recorded of batch) row = chats.fold(row, recorded)
    if (row) desk.seedChat(stream.slice(CHAT_STREAM.length), row)
  }

  const { promise: caughtUp, resolve, reject } = Promise.withResolvers<void>()
  const following = log.follow({
    after: position < 0n ? 'start' : position,
    each: follow,
    caughtUp: resolve,
    failed: (error) => {
      reject(error)
      onError(error, undefined)
    },
  })
  await caughtUp
  live = true
  // Until here nobody listened, so nobody had to be named; now everybody who is online may be.
  for (const { org, id } of [...desk.everybody()]) await meet(org, id)

  return {
    desk,
    profiles,
    position: () => position,
    opening: (org) => openingOf(desk, profiles, org, position),
    openingText: (org) => openingTextOf(desk, profiles, org, position),
    until(condition, signal) {
      if (condition()) return Promise.resolve(true)
      const { promise, resolve: settle } = Promise.withResolvers<boolean>()
      const look = () => {
        if (condition()) done(true)
      }
      const give = () => done(false)
      const done = (answer: boolean) => {
        waiting.delete(look)
        signal.removeEventListener('abort', give)
        settle(answer)
      }
      waiting.add(look)
      signal.addEventListener('abort', give)
      if (signal.aborted) give()
      return promise
    },
    stop: () => following.stop(),
  }
}
