import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { CourseAccess } from './access.ts'

/** A video at one revision. Times in milliseconds since 1970. */
export interface VideoAt {
  readonly videoId: string
  readonly courseId: string
  readonly seq: number
  readonly title: string
  readonly durationSeconds: number | null
  readonly createdAt: number
  /** Revisions of the remarks that were removed. */
  readonly removed: readonly number[]
}

/** Looks videos up in their own entities. One of another organisation is answered like one that does not exist. */
export interface VideoAccess {
  find(id: string, by: Party): Promise<VideoAt | Refusal>
  /** For who may join its course. */
  open(id: string, by: Party): Promise<VideoAt | Refusal>
}

export function videoAccess(entities: Pick<Entities, 'judged'>, access: Pick<CourseAccess, 'visible'>): VideoAccess {
  const find: VideoAccess['find'] = (videoId, by) =>
    entities.judged('video', videoId, ({ revision: seq, state }) => {
      const { org, ...video } = state.context
      return seq < 0 || org !== by.org ? refuse('no-such-video') : { videoId, seq, ...video }
    })
  return {
    find,
    async open(id, by) {
      const video = await find(id, by)
      if (video instanceof Refusal) return video
      const course = await access.visible(video.courseId, by)
      return course instanceof Refusal ? course : video
    },
  }
}
