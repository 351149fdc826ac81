import type { EventSchema } from '../kernel.ts'
import type { Stretch } from './watched.ts'

interface Viewing {
  readonly org: string
  readonly courseId: string
  readonly videoId: string
  readonly viewerId: string
  readonly at: number
}

/** `<timestamp> <progress>` under a name. */
export type NamedReport = readonly [clientId: string, sent: string]

/**
 * One viewer of one video, in the stream `watch-<video>.<viewer>`. Every event says whose it is: what is told of it
 * needs nothing else. Times in milliseconds since 1970.
 */
export type WatchEvent =
  | (Viewing & {
      readonly type: 'ViewerJoined'
      /** When the presence began in which they joined. */
      readonly presence: number
    })
  | (Viewing & { readonly type: 'ViewerLeft' })
  | (Viewing & {
      readonly type: 'ProgressMade'
      /** What was watched since the event before, in seconds of the video. */
      readonly stretches: readonly Stretch[]
      /** The last report: the place in the video, in seconds, and the percentage as it was sent. */
      readonly timestamp: number
      readonly progress: number
      readonly reportedAt: number
      /** The names (`client_id`) of the reports since the event before, with what was sent under them. */
      readonly named?: readonly NamedReport[]
      /** What it comes to: whole seconds of the union of everything that was watched, and percent of the video. */
      readonly watchedSeconds: number
      readonly percent: number
    })

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const watchEvents: Readonly<Record<WatchEvent['type'], EventSchema>> = {
  ViewerJoined: plain,
  ViewerLeft: plain,
  ProgressMade: plain,
}
