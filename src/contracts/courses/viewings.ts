import { randomUUID } from 'node:crypto'
import { type Party, type Recorded, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Report } from '../../../machines/watch/commands.ts'
import type { WatchEvent } from '../../../machines/watch/events.ts'
import { type Watched, withStretch } from '../../../machines/watch/watched.ts'
import type { Clock } from '../../clock.ts'
import type { EventRef } from '../../delivery/notice.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Answer, Done } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { ProgressTold } from './notices.ts'
import {
  AT_MOST_EVERY_MS,
  counted,
  heard,
  newViewing,
  type OfVideo,
  type Position,
  recording,
  type Viewing,
} from './viewing.ts'

export interface ViewingsOptions {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly clock: Clock
  /** A report that is not recorded yet, to be told at once; `ref`: the place of the viewer's last event. */
  readonly onReport: (ref: EventRef, told: ProgressTold) => void
  readonly onError: (error: unknown) => void
}

/**
 * Who watches what on this node. Reports come every second from every viewer: each is told at once, and recorded at
 * least every 15 s, when a stretch ends, and when the viewer leaves; of one viewer and video at most once a second.
 */
export interface Viewings {
  /**
   * `taken` is called when it is counted. Resolves when it is told; where it ends a stretch, when it is recorded. A
   * repeat of a call that the viewer has named is not counted again, and gets the first answer.
   */
  report(video: OfVideo, by: Party, report: Report, call: ReportCall): Promise<Answer>
  /** Nobody of this viewer is connected here any more, or they left: what is not recorded yet is recorded. */
  left(videoId: string, by: Party): Promise<void>
  /** As this node knows it; undefined = it knows nothing that is not recorded. */
  position(videoId: string, viewerId: string): Position | undefined
  /** Of any node. `tell` tells it, before what is told after it. */
  onEvent(recorded: Recorded<WatchEvent>, tell: (known: Known) => void): void
  /** Nothing waits any more: what is not recorded yet is recorded at once. */
  stop(): Promise<void>
}

export interface ReportCall {
  readonly clientId: string | undefined
  /** Which of their tabs it came from: the connection. */
  readonly tab: string
  readonly taken: () => void
}

/** What this node knows of an event before it tells it. */
export interface Known {
  /** What was watched, recorded or not; undefined: the event says it. */
  readonly watched: Watched | undefined
  /** It records what is told besides, as it came. */
  readonly isTold: boolean
}

/** What a crash may cost (COURSE-31). */
const RECORD_EVERY_MS = 15_000
/** Of one viewer: what waits to be told after an event, and the calls of which a repeat is known. */
const MAX_HELD = 100
const MAX_CALLS = 100

/** The stream of one viewer of one video. */
export const watchId = (videoId: string, viewerId: string): string => `${videoId}.${viewerId}`

export function viewings({ entities, clock, onReport, onError }: ViewingsOptions): Viewings {
  /** Of those who reported something within the last 15 s. */
  const all = new Map<string, Promise<Viewing>>()
  const ready = new Map<string, Viewing>()
  let isStopping = false

  const begin = async (video: OfVideo, by: Party): Promise<Viewing> => {
    const id = watchId(video.videoId, by.id)
    const { at, state } = await entities.state('watch', id)
    const viewing = newViewing(clock, video, by, state.context, at)
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
      const leftMs = viewing.recordedAt + AT_MOST_EVERY_MS - clock.elapsed()
      if (leftMs <= 0 || isStopping) return
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
    const { video, by, stretches, named, last, highest } = viewing
    const at = clock.now()
    Object.assign(viewing, { next: null, hurry: null, stretches: [], named: [], isDirty: false })
    viewing.recordedAt = clock.elapsed()
    if (!last) throw new Error('nothing was reported that could be recorded')
    const command = { type: 'MakeProgress', ...video, stretches, named, last, highest, by, at } as const
    const asking = entities.ask('watch', watchId(video.videoId, by.id), command)
    recording(viewing, last)
    viewing.isUnderWay = true
    viewing.underWay = asking.catch(() => {})
    watch(viewing)
    try {
      const answer = await asking
      if (answer instanceof Refusal) throw new NotRecorded(answer)
      return answer
    } catch (error) {
      // It is tried again with what comes, or in a while.
      viewing.stretches = viewing.stretches.reduce(withStretch, stretches)
      viewing.named = [...named, ...viewing.named].slice(-MAX_CALLS)
      viewing.isDirty = true
      if (error instanceof NotRecorded) return error.refusal
      throw error
    } finally {
      viewing.isUnderWay = false
    }
  }

  const tellHeld = (viewing: Viewing): void => {
    const { ref, held } = viewing
    if (!ref) return
    viewing.held = []
    // Each has an id of its own: whoever compares ids must not take it for the event before.
    for (const told of held) onReport({ ...ref, id: randomUUID() }, told)
  }

  /** Looks again in 15 s: whoever reported nothing meanwhile is let go of. */
  const watch = (viewing: Viewing): void => {
    viewing.timer?.cancel()
    if (isStopping) return
    viewing.timer = clock.after(RECORD_EVERY_MS, () => {
      if (viewing.isDirty) record(viewing).catch(onError)
      if (viewing.isDirty || viewing.next || viewing.isUnderWay) watch(viewing)
      else letGo(viewing)
    })
  }

  const letGo = ({ video, by, timer }: Viewing): void => {
    timer?.cancel()
    const id = watchId(video.videoId, by.id)
    all.delete(id)
    ready.delete(id)
  }

  /** Counts it, and tells it or has it recorded. */
  const count = (viewing: Viewing, report: Report, tab: string): Promise<Answer> => {
    const { video, by } = viewing
    const endsStretch = counted(viewing, report, tab)
    const { isBegun, recordedAt } = viewing
    viewing.isBegun = true
    // Every report is told, also where several are recorded as one.
    viewing.held = [...viewing.held, { ...video, viewerId: by.id, ...report, ...viewing.watched }].slice(-MAX_HELD)
    tellHeld(viewing)
    if (!isBegun || endsStretch || clock.elapsed() - recordedAt >= RECORD_EVERY_MS) return record(viewing)
    return Promise.resolve({
      kind: 'done',
      id: null,
      seq: viewing.ref?.seq ?? 0,
      position: null,
      events: [],
    } satisfies Done)
  }

  return {
    async report(video, by, told, { clientId, tab, taken }) {
      const viewing = await found(video, by)
      const { calls, begun } = viewing
      const report = { ...told, at: Math.round(begun.at + clock.elapsed() - begun.elapsed) }
      const sent = `${report.timestamp} ${report.progress}`
      const known = clientId === undefined ? undefined : calls.get(clientId)
      if (known) {
        taken()
        return known.sent === sent ? known.answer : refuse('client-id-reused')
      }
      if (clientId !== undefined) viewing.named = [...viewing.named, [clientId, sent] as const].slice(-MAX_CALLS)
      const answer = count(viewing, report, tab)
      if (clientId !== undefined) {
        calls.set(clientId, { sent, answer })
        keepNewest(calls, MAX_CALLS)
        // What failed is done when it is asked again.
        const forget = (): void => void calls.delete(clientId)
        answer.then((its) => its instanceof Refusal && forget(), forget)
      }
      taken()
      return answer
    },
    async left(videoId, by) {
      const viewing = await all.get(watchId(videoId, by.id))
      if (!viewing) return
      if (viewing.isDirty || viewing.next) await record(viewing)
      else await viewing.underWay
    },
    position(videoId, viewerId) {
      const viewing = ready.get(watchId(videoId, viewerId))
      if (!viewing?.place) return undefined
      const { place, watched } = viewing
      return { timestamp: place.timestamp, progress: place.progress, ...watched }
    },
    onEvent(recorded, tell) {
      const { event } = recorded
      const viewing = ready.get(watchId(event.videoId, event.viewerId))
      if (!viewing) return tell({ watched: undefined, isTold: false })
      const isTold = heard(viewing, recorded)
      tell({ watched: viewing.watched, isTold })
      tellHeld(viewing)
    },
    async stop() {
      isStopping = true
      const recordings: Promise<unknown>[] = []
      for (const viewing of ready.values()) {
        viewing.timer?.cancel()
        viewing.hurry?.()
        recordings.push(viewing.isDirty || viewing.next ? record(viewing).catch(onError) : viewing.underWay)
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
