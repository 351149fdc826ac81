import { type Recorded, Refusal, refuse } from '../../../machines/kernel.ts'
import { idIn, isOf } from '../../../machines/stream.ts'
import type { Listener } from '../../delivery/listeners.ts'
import type { Answer } from '../../runtime/answer.ts'

/** Whoever watches gets the whole list with every change of it, so it has an end. */
const MAX_ACTIVE = 20

/** How many sessions of one course may be active at once. */
export interface ActiveLimit extends Listener {
  /**
   * Starts the session, unless too many are active. One that is active already is no more of them, and neither is what
   * a repeated call has started before.
   */
  within(course: string, id: string, isRepeated: boolean, start: () => Promise<Answer>): Promise<Answer>
}

/**
 * `active`: the sessions of a course that this node has heard of. Besides them those count that are being started here,
 * or were and have not been heard yet. What other nodes start in the same moment does not: then there are more.
 */
export function activeLimit(active: (course: string) => ReadonlyMap<string, unknown>): ActiveLimit {
  const unheard = new Map<string, Set<string>>()
  const forget = (course: string, id: string): void => {
    const theirs = unheard.get(course)
    if (theirs?.delete(id) && theirs.size === 0) unheard.delete(course)
  }
  return {
    categories: ['attendance'],
    onEvent(recorded: Recorded) {
      const id = idIn('attendance', recorded.stream)
      if (id === null || !isOf('attendance', recorded)) return
      if (recorded.event.type === 'AttendanceStarted') forget(recorded.event.courseId, id)
    },
    async within(course, id, isRepeated, start) {
      const known = active(course)
      const theirs = unheard.get(course) ?? new Set<string>()
      if (isRepeated || known.has(id) || theirs.has(id)) return start()
      const starting = [...theirs].filter((one) => !known.has(one)).length
      if (known.size + starting >= MAX_ACTIVE) return refuse('too-many-sessions', { most: String(MAX_ACTIVE) })
      unheard.set(course, theirs.add(id))
      let isNew = false
      try {
        const answer = await start()
        isNew = !(answer instanceof Refusal) && answer.events.length > 0
        return answer
      } finally {
        if (!isNew) forget(course, id) // nothing of it will be heard
      }
    },
  }
}
