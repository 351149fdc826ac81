import type { Command } from '../kernel.ts'
import type { NamedReport } from './events.ts'
import type { Stretch } from './watched.ts'

interface OfVideo {
  readonly courseId: string
  readonly videoId: string
}

/** A person who may join the video's course; which the course says, before. */
export type WatchCommand = Command &
  OfVideo &
  (
    | { readonly type: 'JoinVideo'; readonly presence: number }
    | { readonly type: 'LeaveVideo' }
    | {
        readonly type: 'MakeProgress'
        readonly durationSeconds: number | null
        /** What was watched since the last event. */
        readonly stretches: readonly Stretch[]
        /** The last report. */
        readonly last: Report
        readonly named: readonly NamedReport[]
        /** The highest percentage among all of them. */
        readonly highest: number
      }
  )

/** `timestamp` in seconds of the video, `progress` in percent, `at` in milliseconds since 1970. */
export interface Report {
  readonly timestamp: number
  readonly progress: number
  readonly at: number
}
