import { type Decision, refuse, unreachable } from '../kernel.ts'
import type { VideoCommand } from './commands.ts'
import type { VideoEvent } from './events.ts'
import type { VideoState } from './machine.ts'

/** Whoever removes more than this has another problem; the room's state holds each. */
const MAX_REMOVED = 10_000

/** Refusals: `no-such-video` (also for every video of another organisation), `too-many-removed`, `video-exists`. */
export function decide(state: VideoState, command: VideoCommand): Decision<VideoEvent> {
  const { by, at } = command
  if (command.type === 'AddVideo') {
    if (!state.matches('new')) return refuse('video-exists')
    const { courseId, title, durationSeconds } = command
    return [{ type: 'VideoAdded', org: by.org, courseId, title, durationSeconds, addedBy: by.id, at }]
  }
  const { org, removed } = state.context
  if (state.matches('new') || by.org !== org) return refuse('no-such-video')

  switch (command.type) {
    case 'Remark': {
      const { message, timestamp } = command
      return [{ type: 'RemarkMade', org, authorId: by.id, message, timestamp, at }]
    }
    case 'RemoveRemark': {
      const { seq } = command
      if (removed.includes(seq)) return []
      if (removed.length >= MAX_REMOVED) return refuse('too-many-removed', { most: String(MAX_REMOVED) })
      return [{ type: 'RemarkRemoved', seq, removedBy: by.id, at }]
    }
    default:
      return unreachable(command)
  }
}
