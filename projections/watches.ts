import { type Recorded, unreachable } from '../machines/kernel.ts'
import type { WatchEvent } from '../machines/watch/events.ts'
import { afterProgress, unwatched, type WatchContext } from '../machines/watch/machine.ts'
import { projectionOf } from './projection.ts'

/** What one viewer has watched of one video. Times are milliseconds since 1970. */
export interface WatchRow extends Omit<WatchContext, 'presence' | 'named'> {
  readonly seq: number
  readonly org: string
  readonly courseId: string
  readonly videoId: string
  readonly viewerId: string
}

export const watches = projectionOf<WatchRow, 'watch'>('watch', {
  name: 'watches',
  version: 2,
  fold(row, { event, revision: seq }: Recorded<WatchEvent>) {
    const { org, courseId, videoId, viewerId } = event
    const { presence: _, named: __, ...nothing } = unwatched
    const before: WatchRow = { ...nothing, ...row, seq, org, courseId, videoId, viewerId }
    switch (event.type) {
      case 'ViewerJoined':
      case 'ViewerLeft':
        return before
      case 'ProgressMade':
        return afterProgress(before, event)
      default:
        return unreachable(event)
    }
  },
  index: (_, { org, courseId, viewerId, videoId }) => [`course/${org}/${courseId}/${viewerId}/${videoId}`],
})
