import type { EventSchema } from '../kernel.ts'

/**
 * A video of a course and what is said beside it, in the stream `video-<id>`. What people have watched of it stands in
 * streams of its own (`watch`). Times in milliseconds since 1970.
 */
export type VideoEvent =
  | {
      readonly type: 'VideoAdded'
      readonly org: string
      readonly courseId: string
      readonly title: string
      /** Null where nobody knows. */
      readonly durationSeconds: number | null
      readonly addedBy: string
      readonly at: number
    }
  | {
      readonly type: 'RemarkMade'
      readonly org: string
      readonly authorId: string
      readonly message: string
      /** As the client sent it. */
      readonly timestamp: string | number
      readonly at: number
    }
  | {
      readonly type: 'RemarkRemoved'
      /** Revision of the event that it was made by. */
      readonly seq: number
      readonly removedBy: string
      readonly at: number
    }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const videoEvents: Readonly<Record<VideoEvent['type'], EventSchema>> = {
  VideoAdded: plain,
  RemarkMade: { version: 1, personal: ['message'], upcasts: {} },
  RemarkRemoved: plain,
}
