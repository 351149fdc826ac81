import type { MarkStatus } from './events.ts'

/** A student's mark as deciding needs it. */
export interface Mark {
  readonly studentId: string
  readonly status: MarkStatus
  readonly via: 'code' | 'teacher'
  readonly by: string
  readonly at: number
}

/**
 * All marks of a session, in buckets by a hash of the student's id: one more mark of 5,000 copies some 20 entries and
 * 256 references, not 5,000 entries. Lists and not objects by id, because ids come from outside and one of them may be
 * `__proto__`. Plain JSON.
 */
export type Marks = readonly (readonly Mark[])[]

/** Late is present. */
export const isPresent = ({ status }: { readonly status: MarkStatus }): boolean =>
  status === 'present' || status === 'late'

/**
 * Whether a student counts in a session's statistics: until it has ended everybody does, then whoever is not among its
 * strangers (marked, but not enrolled when it ended).
 */
export const counts = (ended: { readonly strangers: readonly string[] } | null, studentId: string): boolean =>
  ended === null || !ended.strangers.includes(studentId)

const BUCKETS = 256

export const noMarks: Marks = Array.from({ length: BUCKETS }, () => [])

export const markOf = (marks: Marks, studentId: string): Mark | undefined =>
  marks[bucketOf(studentId)]?.find((mark) => mark.studentId === studentId)

/** The marks with this one, in place of the student's mark before. */
export function withMark(marks: Marks, mark: Mark): Marks {
  const nth = bucketOf(mark.studentId)
  const others = marks[nth]?.filter(({ studentId }) => studentId !== mark.studentId) ?? []
  return marks.with(nth, [...others, mark])
}

export const countOf = (marks: Marks): number => marks.reduce((sum, bucket) => sum + bucket.length, 0)

export const allMarks = (marks: Marks): readonly Mark[] => marks.flat()

/** FNV-1a; whoever chooses ids that all fall into one bucket makes that one long, which only costs time. */
function bucketOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1)
}
