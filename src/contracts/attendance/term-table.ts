import { type Refusal, refuse } from '../../../machines/kernel.ts'
import type { Period } from '../../gateway/http/pages.ts'
import type { CourseTable, CourseTables } from './course-table.ts'
import type { SessionList } from './list.ts'

/** A term of a course that meets twice a day, and then some. */
const MAX_SESSIONS = 400

export interface TermTableParts {
  readonly sessions: SessionList
  readonly tables: CourseTables
}

/** The table of a course's sessions that were started within this time and held. */
export async function termTable(
  { sessions, tables }: TermTableParts,
  org: string,
  courseId: string,
  { from, to }: Period,
  isGone: () => boolean,
): Promise<CourseTable | Refusal> {
  const filter = { org, courseId, state: undefined, held: true, from, to } as const
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await sessions.list(filter, 50, after)
    for (const [id] of page.rows) ids.push(id)
    after = page.next
    if (ids.length > MAX_SESSIONS) return refuse('csv-too-large', { most: String(MAX_SESSIONS) })
  } while (after !== undefined && !isGone())
  return (await tables.of(courseId, ids, isGone)) ?? refuse('unavailable') // nobody waits for it
}
