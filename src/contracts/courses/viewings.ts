import { randomUUID } from 'node:crypto'
import type { Party, Recorded } from '../../../machines/kernel.ts'
import { Refusal } from '../../../machines/kernel.ts'
import type { Report } from '../../../machines/watch/commands.ts'
import type { WatchEvent } from '../../../machines/watch/events.ts'
import {
  type Stretch,
  type Watched,
  watchedAfter,
  watchedBetween,
  withStretch,
} from '../../../machines/watch/watched.ts'
import type { Clock, Timer } from '../../clock.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import type { Answer, Done } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { ProgressTold } from './notices.ts'

/** A video as far as progress in it goes. */
export interface OfVideo {
  readonly courseId: string
  readonly videoId: string
  readonly durationSeconds: number | null
}

export interface ViewingsOptions {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly clock: Clock
  /** A report that is not recorded yet, to be told at once; `ref`: the place of the viewer's last event. */
  readonly onReport: (ref: EventRef, told: ProgressTold) => void
  readonly onError: (error: unknown) => void
}

/** Where somebody is in a video, recorded or not. */
export interface Position extends Watched {
  readonly timestamp: number
  readonly progress: number
}

/**
 * Who watches what on this node. Reports come every second from every viewer: each is told at once, and recorded at
 * least every 15 s, when a stretch ends, and when the viewer leaves; of one viewer and video at most once a second.
 */
export interface Viewings {
  /** `taken` is called when it is counted. Resolves when it is told; where it ends a stretch, when it is recorded. */
  report(video: OfVideo, by: Party, report: Report, taken: () => void): Promise<Answer>
  /** Nobody of this viewer is connected here any more, or they left: what is not recorded yet is recorded. */
  left(videoId: string, by: Party): Promise<void>
  /** As this node knows it; undefined = it knows nothing that is not recorded. */
  position(videoId: string, viewerId: string): Position | undefined
  /** Of any node, when it has been told. */
  onEvent(recorded: Recorded<WatchEvent>): void
  /** Nothing waits any more: what is not recorded yet is recorded at once. */
  stop(): Promise<void>
}

/** What a crash may cost (COURSE-31). */
const RECORD_EVERY_MS = 15_000
const AT_MOST_EVERY_MS = 1_000

/** The stream of one viewer of one video. */
export const watchId = (videoId: string, viewerId: string): string => `${videoId}.${viewerId}`

interface Viewing {
  readonly video: OfVideo
  readonly by: Party
  /** Everything that was watched, recorded or not, and what it comes to. */
  union: readonly Stretch[]
  watched: Watched
  highest: number
  last: Report | null
  /** Not recorded yet. */
  stretches: readonly Stretch[]
  isDirty: boolean
  /** A report of this watch was recorded, or is about to be. */
  isBegun: boolean
  /** The viewer's last event that this node has told of. */
  ref: EventRef | null
  /** Seq of an event that this node has recorded and not told of yet; infinite as long as it is not known. */
  untold: number | null
  /** What is to be told after it: whatever was reported last. */
  held: ProgressTold | null
  /** When this node asked last for something to be recorded. */
  recordedAt: number
  /** The recording that is under way, and the one that waits for its second. */
  underWay: Promise<unknown>
  next: Promise<Answer> | null
  /** Ends the wait of `next`. */
  hurry: (() => void) | null
  timer: Timer | undefined
}

export function viewings({ entities, clock, onReport, onError }: ViewingsOptions): Viewings {
  /** Of those who reported something within the last 15 s. */
  const all = new Map<string, Promise<Viewing>>()
  const ready = new Map<string, Viewing>()
  let isStopping = false

  const begin = async (video: OfVideo, by: Party): Promise<Viewing> => {
    const id = watchId(video.videoId, by.id)
    const { union, last, highest, watchedSeconds, percent } = (await entities.state('watch', id)).state.context
    const viewing: Viewing = {
      ...{ video, by, union, highest, last, watched: { watchedSeconds, percent }, stretches: [], isDirty: false },
      ...{
        isBegun: false,
        ref: null,
        untold: null,
        held: null,
        recordedAt: Number.NEGATIVE_INFINITY,
        underWay: Promise.resolve(),
        next: null,
        hurry: null,
      },
      timer: undefined,
    }
    ready.set(id, viewing)
    return viewing
  }

  const found = (video: OfVideo, by: Party): Promise<Viewing> => {
    const id = watchId(video.videoId, by.id)
    const known = all.get(id)
    if (known) return known
    const viewing = begin(video, by)
    all.set(id, viewing)
    viewing.catch(() => all.get(id) === viewing && all.delete(id))
    return viewing
  }

  const secondOver = async (viewing: Viewing): Promise<void> => {
    for (;;) {
      // A clock that was put back keeps nobody waiting for longer.
      const leftMs = Math.min(AT_MOST_EVERY_MS, viewing.recordedAt + AT_MOST_EVERY_MS - clock.now())
      if (leftMs <= 0 || isStopping) return
      viewing.recordedAt = Math.min(viewing.recordedAt, clock.now())
      await new Promise<void>((resolve) => {
        const timer = clock.after(leftMs, resolve) // which may be early by a millisecond
        viewing.hurry = () => {
          timer.cancel()
          resolve()
        }
      })
    }
  }

  /** Records what is not recorded yet; what is reported until it begins goes with it. */
  const record = (viewing: Viewing): Promise<Answer> => {
    viewing.next ??= recordNext(viewing)
    return viewing.next
  }

  const recordNext = async (viewing: Viewing): Promise<Answer> => {
    await viewing.underWay
    await secondOver(viewing)
    const { video, by, stretches, last, highest } = viewing
    const at = clock.now()
    Object.assign(viewing, { next: null, hurry: null, stretches: [], isDirty: false, recordedAt: at })
    if (!last) throw new Error('nothing was reported that could be recorded')
    const command = { type: 'MakeProgress', ...video, stretches, last, highest, by, at } as const
    viewing.untold = Number.POSITIVE_INFINITY
    const asking = entities.ask('watch', watchId(video.videoId, by.id), command)
    viewing.underWay = asking.catch(() => {})
    watch(viewing)
    try {
      const answer = await asking
      if (answer instanceof Refusal) throw new NotRecorded(answer)
      viewing.untold = answer.seq
      tellHeld(viewing)
      return answer
    } catch (error) {
      viewing.untold = null
      tellHeld(viewing)
      // It is tried again with what comes, or in a while.
      viewing.stretches = viewing.stretches.reduce(withStretch, stretches)
      viewing.isDirty = true
      if (error instanceof NotRecorded) return error.refusal
      throw error
    }
  }

  /** What is not recorded is told after what is. */
  const tellHeld = (viewing: Viewing): void => {
    const { ref, held, untold } = viewing
    if (!ref || (untold !== null && ref.seq < untold)) return
    viewing.untold = null
    viewing.held = null
    // It has an id of its own: whoever compares ids must not take it for the event before.
    if (held) onReport({ ...ref, id: randomUUID() }, held)
  }

  /** Looks again in 15 s: whoever reported nothing meanwhile is let go of. */
  const watch = (viewing: Viewing): void => {
    viewing.timer?.cancel()
    if (isStopping) return
    viewing.timer = clock.after(RECORD_EVERY_MS, () => {
      if (viewing.isDirty) record(viewing).catch(onError)
      else if (!viewing.next) letGo(viewing)
      if (viewing.isDirty) watch(viewing)
    })
  }

  const letGo = ({ video, by, timer }: Viewing): void => {
    timer?.cancel()
    const id = watchId(video.videoId, by.id)
    all.delete(id)
    ready.delete(id)
  }

  return {
    async report(video, by, report, taken) {
      const viewing = await found(video, by)
      const { last } = viewing
      const stretch = last && watchedBetween(last, report)
      const endsStretch = last !== null && !stretch && report.timestamp !== last.timestamp
      if (stretch) {
        viewing.union = withStretch(viewing.union, stretch)
        viewing.stretches = withStretch(viewing.stretches, stretch)
      }
      viewing.last = report
      viewing.highest = Math.max(viewing.highest, report.progress)
      viewing.watched = watchedAfter(viewing.watched, viewing.union, video.durationSeconds, viewing.highest)
      viewing.isDirty = true
      taken()
      const { isBegun, recordedAt } = viewing
      viewing.isBegun = true
      if (!isBegun || endsStretch || report.at - recordedAt >= RECORD_EVERY_MS) return record(viewing)
      // What waits for its second goes with the event that is told then.
      viewing.held = { ...video, viewerId: by.id, ...report, ...viewing.watched }
      tellHeld(viewing)
      return { kind: 'done', id: null, seq: viewing.ref?.seq ?? 0, position: null, events: [] } satisfies Done
    },
    async left(videoId, by) {
      const viewing = await all.get(watchId(videoId, by.id))
      if (!viewing) return
      if (viewing.isDirty || viewing.next) await record(viewing)
      else await viewing.underWay
    },
    position(videoId, viewerId) {
      const viewing = ready.get(watchId(videoId, viewerId))
      if (!viewing?.last) return undefined
      const { last, watched } = viewing
      return { timestamp: last.timestamp, progress: last.progress, ...watched }
    },
    onEvent(recorded) {
      const { event } = recorded
      const viewing = ready.get(watchId(event.videoId, event.viewerId))
      if (!viewing) return
      viewing.ref = eventRef(recorded)
      tellHeld(viewing)
      if (event.type !== 'ProgressMade') return
      viewing.union = event.stretches.reduce(withStretch, viewing.union)
      viewing.highest = Math.max(viewing.highest, event.progress)
      viewing.watched = watchedAfter(event, viewing.union, viewing.video.durationSeconds, viewing.highest)
    },
    async stop() {
      isStopping = true
      const recordings: Promise<unknown>[] = []
      for (const viewing of ready.values()) {
        viewing.timer?.cancel()
        viewing.hurry?.()
        if (viewing.isDirty || viewing.next) recordings.push(record(viewing).catch(onError))
      }
      await Promise.all(recordings)
    },
  }
}

class NotRecorded extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}
