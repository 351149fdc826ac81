import { type Decision, unreachable } from '../kernel.ts'
import type { WatchCommand } from './commands.ts'
import type { WatchEvent } from './events.ts'
import type { WatchState } from './machine.ts'
import { watchedAfter, withStretch } from './watched.ts'

/** Nothing is refused: who may watch is decided before. */
export function decide(state: WatchState, command: WatchCommand): Decision<WatchEvent> {
  const { by, at, courseId, videoId } = command
  const { presence, union, highest } = state.context
  const viewing = { org: by.org, courseId, videoId, viewerId: by.id, at }

  switch (command.type) {
    case 'JoinVideo':
      return presence === command.presence ? [] : [{ type: 'ViewerJoined', ...viewing, presence: command.presence }]
    case 'LeaveVideo':
      return presence === null ? [] : [{ type: 'ViewerLeft', ...viewing }]
    case 'MakeProgress': {
      const { last: report, durationSeconds, stretches, named: all } = command
      const watched = watchedAfter(
        state.context,
        stretches.reduce(withStretch, union),
        durationSeconds,
        Math.max(highest, command.highest),
      )
      const { timestamp, progress, at: reportedAt } = report
      const named = all.length === 0 ? {} : { named: all }
      return [{ type: 'ProgressMade', ...viewing, stretches, timestamp, progress, reportedAt, ...watched, ...named }]
    }
    default:
      return unreachable(command)
  }
}
