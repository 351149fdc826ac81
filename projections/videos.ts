import type { Recorded } from '../machines/kernel.ts'
import type { VideoEvent } from '../machines/video/events.ts'
import { projectionOf } from './projection.ts'

/** One video. Times are milliseconds since 1970. */
export interface VideoRow {
  readonly seq: number
  readonly org: string
  readonly courseId: string
  readonly title: string
  readonly durationSeconds: number | null
  readonly createdAt: number
}

export const videos = projectionOf<VideoRow, 'video'>('video', {
  name: 'videos',
  version: 1,
  fold(row, { event, revision: seq, stream }: Recorded<VideoEvent>) {
    if (event.type === 'VideoAdded') {
      const { org, courseId, title, durationSeconds, at: createdAt } = event
      return { seq, org, courseId, title, durationSeconds, createdAt }
    }
    if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before VideoAdded`)
    return { ...row, seq }
  },
  index: (id, { org, courseId, createdAt }) => [
    `course/${org}/${courseId}/${String(createdAt).padStart(14, '0')}/${id}`,
  ],
})
