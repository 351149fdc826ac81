import type { LessonNews } from './notices.ts'
import { participantIn } from './notices.ts'

/** At least so long between two pushes about participants of one lesson: no more than ten in any second. */
export const PACE_MS = 110

/** What is to be pushed next, together, and what stays for later. */
export interface Run {
  readonly news: readonly LessonNews[]
  readonly rest: LessonNews[]
}

/**
 * Takes as much of the queue as fits in one push: all news of the first one's kind that no other news of the same
 * participant goes before. So each participant's news keep their order, nothing is lost, and whoever comes and goes
 * again and again holds up nobody else. The lesson's own news go alone, and nothing overtakes them.
 */
export function nextRun(queue: readonly LessonNews[]): Run {
  const [first] = queue
  if (!first) return { news: [], rest: [] }
  if (first.who === null) return { news: [first], rest: queue.slice(1) }
  const news: LessonNews[] = []
  const rest: LessonNews[] = []
  const waiting = new Set<string | null>()
  for (const [index, one] of queue.entries()) {
    if (one.who === null) return { news, rest: [...rest, ...queue.slice(index)] }
    const participant = participantIn(one.recorded)
    if (one.recorded.event.type === first.recorded.event.type && !waiting.has(participant)) news.push(one)
    else {
      rest.push(one)
      waiting.add(participant)
    }
  }
  return { news, rest }
}
