import type { Recorded } from '../../../machines/kernel.ts'
import type { WatchEvent } from '../../../machines/watch/events.ts'
import type { Pace } from '../../delivery/feed.ts'
import type { CrowdPace } from './crowd-pace.ts'
import type { WatchNotice } from './notices.ts'
import type { SpreadPace } from './spread-pace.ts'
import type { Viewings } from './viewings.ts'

export interface WatchPaceParts {
  readonly crowd: CrowdPace
  readonly spread: SpreadPace
  readonly viewings: Pick<Viewings, 'onEvent'>
}

/**
 * How it is told what viewers do. Who comes is told of one by one, progress as the crowd allows: this node knows what
 * its viewers have watched before it is recorded, and has told it.
 */
export const watchPace = ({ crowd, spread, viewings }: WatchPaceParts): Pace<Recorded<WatchEvent>> => ({
  push(placed, recorded) {
    viewings.onEvent(recorded, ({ watched, isTold }) => {
      for (const { notice } of placed as readonly { readonly notice: WatchNotice }[]) {
        if (notice.name === 'user_joined_video') spread.tell(notice)
        else if (isTold) continue
        else if (notice.name === 'student_progress' || !watched) crowd.tell(notice)
        else {
          const { watchedSeconds: watched_seconds, percent: percent_complete } = watched
          crowd.tell({ ...notice, data: { ...notice.data, watched_seconds, percent_complete } })
        }
      }
    })
  },
  stop() {},
})
