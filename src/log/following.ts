import { slice } from '../slices.ts'
import { AnotherPast, type Following, type FollowOptions, LogUnavailable, type Recorded } from './log.ts'

/** What a following needs of an adapter that holds its events in this process; both answer at once. */
export interface Feed {
  /** Position of the last event that may be seen, -1n when there is none. */
  end(): bigint
  /**
   * Events with `after < position <= upTo`, in order, lost ones left out: one at least when there are any, at most
   * FEED_BATCH.
   */
  slice(after: bigint, upTo: bigint): readonly Recorded[]
  /** Of the event at exactly this position; undefined when there is none. */
  idAt(position: bigint): string | undefined
}

export const FEED_BATCH = 512

export interface Followings {
  /** Throws LogUnavailable after `close`. */
  follow(options: FollowOptions): Following
  /**
   * To be called when `end()` has moved. Costs one microtask per waiting following; `each` is never called from within.
   */
  wake(): void
  /** Resolves when every following has stopped. */
  close(): Promise<void>
}

/**
 * All followings of one log. Each runs at its own pace and holds one batch, so a slow one costs neither memory nor the
 * others' time.
 */
export function followings(feed: Feed): Followings {
  const waiting: (() => void)[] = []
  const running = new Set<Following>()
  let closed = false

  const wake = (): void => {
    for (const resume of waiting.splice(0)) resume()
  }

  return {
    wake,
    follow(options) {
      if (closed) throw new LogUnavailable('the log is closed: nothing can be followed any more')
      let stopped = false
      const done = run(
        feed,
        options,
        () => stopped,
        () => new Promise((resume) => waiting.push(resume)),
      ).finally(() => running.delete(following))
      const following: Following = {
        stop() {
          stopped = true
          wake()
          return done
        },
      }
      running.add(following)
      return following
    },
    async close() {
      closed = true
      await Promise.all([...running].map((following) => following.stop()))
    },
  }
}

async function run(
  feed: Feed,
  options: FollowOptions,
  isStopped: () => boolean,
  woken: () => Promise<void>,
): Promise<void> {
  const { after } = options
  let cursor = after === 'start' ? -1n : after === 'end' ? feed.end() : after.position
  // Up to here is the past: told apart so that `caughtUp` comes exactly between the past and what is live.
  const past = feed.end()
  let live = false
  // `follow` returns before the first call of `each`, so that the caller holds what it may want to stop.
  await null
  try {
    if (typeof after === 'object' && feed.idAt(after.position) !== after.id) throw new AnotherPast(after)
    while (!isStopped()) {
      if (!live && cursor >= past) {
        live = true
        options.caughtUp?.()
        continue
      }
      const batch = feed.slice(cursor, live ? feed.end() : past)
      const last = batch.at(-1)
      if (last === undefined) {
        // What is left of the past was lost.
        if (!live) cursor = past
        else await woken()
        continue
      }
      const delivered = options.each(batch)
      if (delivered !== undefined) await delivered
      cursor = last.position
      // A long way to catch up must not keep sockets waiting; whoever has caught up waits for nobody's long work.
      const pause = cursor < feed.end() ? slice() : undefined
      if (pause) await pause
    }
  } catch (error) {
    options.failed?.(error)
  }
}
