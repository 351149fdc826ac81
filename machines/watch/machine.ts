import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Report } from './commands.ts'
import type { NamedReport, WatchEvent } from './events.ts'
import { COMPLETE_PERCENT, laterOf, type Stretch, withStretch } from './watched.ts'

export interface WatchContext {
  /** When the presence began in which they are in the video's room; null = they are not. */
  readonly presence: number | null
  /** Everything that was watched. */
  readonly union: readonly Stretch[]
  /** Where they were last, and what they reported; null = nothing was ever reported. */
  readonly last: Report | null
  /** The highest percentage that was recorded. */
  readonly highest: number
  readonly watchedSeconds: number
  readonly percent: number
  /** The newest reports that were named. */
  readonly named: readonly NamedReport[]
  /** When they had seen (nearly) all of it for the first time. */
  readonly completedAt: number | null
}

type ProgressMade = Extract<WatchEvent, { type: 'ProgressMade' }>

/** A repeat comes soon. */
const MAX_NAMED = 100

export const unwatched: WatchContext = {
  presence: null,
  union: [],
  last: null,
  highest: 0,
  watchedSeconds: 0,
  percent: 0,
  named: [],
  completedAt: null,
}

export const reportIn = ({ timestamp, progress, reportedAt: at }: ProgressMade): Report => ({ timestamp, progress, at })

/** What was watched after one more event. Pure: the machine's, and the view's. */
export const afterProgress = <C extends Omit<WatchContext, 'presence' | 'named'>>(
  before: C,
  event: ProgressMade,
): C => ({
  ...before,
  union: event.stretches.reduce(withStretch, before.union),
  last: laterOf(before.last, reportIn(event)),
  highest: Math.max(before.highest, event.progress),
  watchedSeconds: event.watchedSeconds,
  percent: event.percent,
  completedAt: before.completedAt ?? (event.percent >= COMPLETE_PERCENT ? event.at : null),
})

/** out <-> in: whether they are in the video's room. They may make progress in either. */
export const watchMachine = setup({
  types: { context: {} as WatchContext, events: {} as WatchEvent },
  actions: {
    come: assign({ presence: (_, { presence }: { presence: number }) => presence }),
    go: assign({ presence: null }),
    progress: assign(({ context }, event: ProgressMade) => ({
      ...afterProgress(context, event),
      named: [...context.named, ...(event.named ?? [])].slice(-MAX_NAMED),
    })),
  },
}).createMachine({
  id: 'watch',
  context: unwatched,
  initial: 'out',
  states: {
    out: {
      on: {
        ViewerJoined: { target: 'in', actions: { type: 'come', params: ({ event }) => event } },
        ProgressMade: { actions: { type: 'progress', params: ({ event }) => event } },
      },
    },
    in: {
      on: {
        ViewerJoined: { actions: { type: 'come', params: ({ event }) => event } },
        ProgressMade: { actions: { type: 'progress', params: ({ event }) => event } },
        ViewerLeft: { target: 'out', actions: 'go' },
      },
    },
  },
})

export type WatchState = SnapshotFrom<typeof watchMachine>
