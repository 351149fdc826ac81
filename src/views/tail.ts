import { firstAfter } from '../log/first-after.ts'
import { type Checkpoint, type Following, type Log, LogUnavailable, type Recorded } from '../log/log.ts'
import { type NewestBounds, NewestEvents } from '../log/newest-events.ts'
import { backOff } from './back-off.ts'
import { openPages, type Pages } from './pages.ts'
import { isSame, later, positionOf } from './position.ts'

export interface TailOptions {
  readonly log: Log
  /**
   * Events are gathered for so long before views are told of them; ten times as long while they keep coming, see
   * `pauseMs`.
   */
  readonly commitEveryMs: number
  /** Of the newest events, which are kept in memory. */
  readonly keep: NewestBounds
}

/**
 * The log as views follow it: one following for all of them, its newest events in memory, everything older in pages.
 */
export interface Tail extends Pages {
  /** The log's end as it was at the start, once the log has told it; null also when it was stopped before. */
  readonly started: Promise<Checkpoint | null>
  /**
   * Position of the last event that views may fold now; null = the log was empty. Moves at most once per
   * `commitEveryMs`.
   */
  head(): bigint | null
  /**
   * Like `after`, at once; null when the events after `from` are not all in memory, or it is not known to be of the
   * past that is in memory: another node may have folded a table from a log that has been replaced since.
   */
  recent(from: Checkpoint | null, limit: number): readonly Recorded[] | null
  stop(): Promise<void>
}

/** `onMove` is called whenever the head has moved, `onFailed` for errors other than a log that does not answer. */
export function openTail(
  { log, commitEveryMs, keep: bounds }: TailOptions,
  onMove: () => void,
  onFailed: (error: unknown) => void,
): Tail {
  const pages = openPages(log)
  /** All events after `floor` are in `newest`, as far as they came; undefined = not started. */
  let floor: Checkpoint | null | undefined
  const newest = new NewestEvents(bounds)
  let head: bigint | null = null
  /** Of the last event that came. */
  let last: bigint | null = null
  let timer: NodeJS.Timeout | undefined
  let publishedAt = 0
  let following: Following | undefined
  const stopping = new AbortController()
  const started = start()

  async function start(): Promise<Checkpoint | null> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        const end = await pages.end()
        if (stopping.signal.aborted) break
        following = log.follow({ after: end ?? 'start', each: keep, failed: onFailed })
        floor = end
        head = positionOf(end)
        return end
      } catch (error) {
        if (!(error instanceof LogUnavailable)) onFailed(error)
        await backOff(failures, stopping.signal)
      }
    }
    return null
  }

  function keep(batch: readonly Recorded[]): void {
    const seen = positionOf(newest.all.at(-1) ?? floor ?? null)
    for (const recorded of batch) if (later(recorded.position, seen)) newest.push(recorded)
    // What is to be published may be cut: whoever folds it reads it again.
    last = newest.all.at(-1)?.position ?? last
    floor = newest.cut() ?? floor
    timer ??= setTimeout(publish, pauseMs())
  }

  /**
   * What comes after a silence is wanted soon. Under load each commit costs its pages and an fsync beside the log's
   * own: then rarely.
   */
  const pauseMs = (): number =>
    performance.now() - publishedAt < 10 * commitEveryMs ? 10 * commitEveryMs : commitEveryMs

  function publish(): void {
    timer = undefined
    publishedAt = performance.now()
    if (!later(last, head)) return
    head = last
    onMove()
  }

  const recent = (from: Checkpoint | null, limit: number): readonly Recorded[] | null => {
    if (floor === undefined) return null
    const events = newest.all
    const first = firstAfter(events, positionOf(from))
    if (!isSame(from, events[first - 1] ?? floor)) return null
    const found = events.slice(first, first + limit)
    // What is not yet published waits for its turn.
    while (found.length > 0 && later(found.at(-1)?.position ?? null, head)) found.pop()
    return found
  }

  return {
    started,
    head: () => head,
    recent,
    after: async (from, limit) => recent(from, limit) ?? pages.after(from, limit),
    end: pages.end,
    standing: pages.standing,
    async stop() {
      stopping.abort()
      await started
      await following?.stop()
      clearTimeout(timer)
    },
  }
}
