import { isDeepStrictEqual } from 'node:util'
import type { Party, Recorded } from '../../../machines/kernel.ts'
import type { Report } from '../../../machines/watch/commands.ts'
import type { NamedReport, WatchEvent } from '../../../machines/watch/events.ts'
import { reportIn, type WatchContext } from '../../../machines/watch/machine.ts'
import {
  laterOf,
  type Stretch,
  type Watched,
  watchedAfter,
  watchedBetween,
  withStretch,
} from '../../../machines/watch/watched.ts'
import type { Clock, Timer } from '../../clock.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Answer } from '../../runtime/answer.ts'
import type { ProgressTold } from './notices.ts'

/** A video as far as progress in it goes. */
export interface OfVideo {
  readonly courseId: string
  readonly videoId: string
  readonly durationSeconds: number | null
}

/** Where somebody is in a video, recorded or not. */
export interface Position extends Watched {
  readonly timestamp: number
  readonly progress: number
}

/** One viewer of one video, as a node knows them while they report. */
export interface Viewing {
  readonly video: OfVideo
  readonly by: Party
  /** Everything that was watched, recorded or not, and what it comes to. */
  union: readonly Stretch[]
  watched: Watched
  highest: number
  /** The last report to this node, and the last that is known of any. */
  last: Report | null
  place: Report | null
  /** The last report of each of their tabs here, the latest last. */
  readonly tabs: Map<string, Report>
  /** Not recorded yet. */
  stretches: readonly Stretch[]
  isDirty: boolean
  /** A report of this watch was recorded, or is about to be. */
  isBegun: boolean
  /** The viewer's last event that this node has told of. */
  ref: EventRef | null
  /** What waits for the first one. */
  held: ProgressTold[]
  /** The reports that were recorded last, or are about to be. */
  recorded: readonly Report[]
  /** Named reports that are not recorded yet. */
  named: readonly NamedReport[]
  /** What was asked under a name of the viewer's (`client_id`). */
  readonly calls: Map<string, { readonly sent: string; readonly answer: Promise<Answer> }>
  /** When this node asked last for something to be recorded, by elapsed time. */
  recordedAt: number
  /** The recording that is under way, and the one that waits for its second. */
  underWay: Promise<unknown>
  isUnderWay: boolean
  next: Promise<Answer> | null
  /** Ends the wait of `next`. */
  hurry: (() => void) | null
  timer: Timer | undefined
  /** When this began: what is reported is as much later as has elapsed, wherever the clock is stepped meanwhile. */
  readonly begun: { readonly at: number; readonly elapsed: number }
}

/** Of what was recorded before this node knew of it. */
const DONE: Answer = { kind: 'done', id: null, seq: 0, position: null, events: [] }

/** Of one viewer of one video. Few have more tabs open; a tab that was closed goes by this, too. */
const MAX_TABS = 8

/** Of one viewer of one video at most one event is recorded in so long. */
export const AT_MOST_EVERY_MS = 1_000

/** `recordedAt`: when their last event was recorded, which need not be of a report. */
export function newViewing(
  clock: Pick<Clock, 'now' | 'elapsed'>,
  video: OfVideo,
  by: Party,
  recorded: WatchContext,
  recordedAt: number,
): Viewing {
  const { union, last, highest, watchedSeconds, percent, named } = recorded
  const recordedAgoMs = last ? clock.now() - Math.min(recordedAt, last.at + AT_MOST_EVERY_MS) : Number.POSITIVE_INFINITY
  const calls: Viewing['calls'] = new Map(
    named.map(([clientId, sent]) => [clientId, { sent, answer: Promise.resolve(DONE) }] as const),
  )
  return {
    ...{ video, by, union, highest, last, place: last, watched: { watchedSeconds, percent }, stretches: [] },
    ...{ tabs: new Map(), isDirty: false, isBegun: false, ref: null, held: [], recorded: [], named: [], calls },
    ...{
      recordedAt: clock.elapsed() - Math.max(0, recordedAgoMs),
      underWay: Promise.resolve(),
      isUnderWay: false,
    },
    ...{ next: null, hurry: null, timer: undefined, begun: { at: clock.now(), elapsed: clock.elapsed() } },
  }
}

/**
 * Counts a report of one of their tabs. Gives whether a stretch ends by it. Two tabs may be at different places, each
 * going on from where it was; a page that was reloaded goes on from where the viewer was.
 */
export function counted(viewing: Viewing, report: Report, tab: string): boolean {
  const { last, tabs, video } = viewing
  let goesOn = false
  for (const earlier of new Set([last, tabs.get(tab)])) {
    if (!earlier) continue
    const stretch = watchedBetween(earlier, report)
    if (stretch) {
      viewing.union = withStretch(viewing.union, stretch)
      viewing.stretches = withStretch(viewing.stretches, stretch)
    }
    if (stretch || report.timestamp === earlier.timestamp) goesOn = true
  }
  tabs.delete(tab) // so that it is the newest
  tabs.set(tab, report)
  keepNewest(tabs, MAX_TABS)
  viewing.last = report
  viewing.place = report
  viewing.highest = Math.max(viewing.highest, report.progress)
  viewing.watched = watchedAfter(viewing.watched, viewing.union, video.durationSeconds, viewing.highest)
  viewing.isDirty = true
  return last !== null && !goesOn
}

/** A node hears of its own events within seconds: of one viewer there is one a second. */
const MAX_RECORDED = 10

/** This report is about to be recorded. */
export const recording = (viewing: Viewing, report: Report): void => {
  viewing.recorded = [...viewing.recorded, report].slice(-MAX_RECORDED)
}

/** Counts an event of any node. Gives whether it records a report to this one. */
export function heard(viewing: Viewing, recorded: Recorded<WatchEvent>): boolean {
  const { event } = recorded
  viewing.ref = eventRef(recorded)
  if (event.type !== 'ProgressMade') return false
  const report = reportIn(event)
  viewing.union = event.stretches.reduce(withStretch, viewing.union)
  viewing.highest = Math.max(viewing.highest, event.progress)
  viewing.watched = watchedAfter(event, viewing.union, viewing.video.durationSeconds, viewing.highest)
  viewing.place = laterOf(viewing.place, report)
  for (const [clientId, sent] of event.named ?? [])
    if (!viewing.calls.has(clientId)) viewing.calls.set(clientId, { sent, answer: Promise.resolve(DONE) })
  return viewing.recorded.some((own) => isDeepStrictEqual(own, report))
}
