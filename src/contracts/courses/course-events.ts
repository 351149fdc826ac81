import type { CourseEvent } from '../../../machines/course/events.ts'
import type { Recorded } from '../../../machines/kernel.ts'
import { idIn, isOf } from '../../../machines/stream.ts'
import type { Foreseeing } from '../../delivery/feed.ts'
import { keepNewest } from '../../keep-newest.ts'
import { lastOf } from '../../log/last-of.ts'
import type { Log } from '../../log/log.ts'

/** An event of a course, and whose course it is. */
export interface CourseChange {
  readonly courseId: string
  readonly org: string
  readonly recorded: Recorded<CourseEvent>
}

const MAX_KNOWN = 10_000

/** Of a course's events only the first says which organisation it belongs to: that much is remembered. */
export function courseEvents(log: Log): Foreseeing<CourseChange> {
  const orgs = new Map<string, string>()
  const know = (recorded: Recorded): void => {
    const courseId = idIn('course', recorded.stream)
    if (courseId === null || !isOf('course', recorded) || recorded.event.type !== 'CourseCreated') return
    orgs.set(courseId, recorded.event.org)
    keepNewest(orgs, MAX_KNOWN)
  }
  const changeOf = (recorded: Recorded): CourseChange | undefined => {
    if (!isOf('course', recorded)) return undefined
    know(recorded)
    const courseId = idIn('course', recorded.stream) ?? ''
    const org = orgs.get(courseId)
    return org === undefined ? undefined : { courseId, org, recorded }
  }
  return {
    category: 'course',
    isMissing: ({ stream, revision }) => revision > 0 && !orgs.has(idIn('course', stream) ?? ''),
    async load({ stream }) {
      for await (const [first] of log.read(stream, { limit: 1 })) if (first) know(first)
    },
    changeOf,
    onEvent: changeOf,
    seed: async () => (await lastOf(log)) ?? null,
  }
}
