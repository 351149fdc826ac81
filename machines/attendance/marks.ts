import { type Buckets, byId } from '../by-id.ts'
import type { MarkStatus } from './events.ts'

/** A student's mark as deciding needs it. */
export interface Mark {
  readonly studentId: string
  readonly status: MarkStatus
  readonly via: 'code' | 'teacher'
  readonly by: string
  readonly at: number
}

/** All marks of a session. */
export type Marks = Buckets<Mark>

/** Late is present. */
export const isPresent = ({ status }: { readonly status: MarkStatus }): boolean =>
  status === 'present' || status === 'late'

/**
 * Whether a student counts in a session's statistics: until it has ended everybody does, then whoever is not among its
 * strangers (marked, but not enrolled when it ended), who are sorted.
 */
export function counts(ended: { readonly strangers: readonly string[] } | null, studentId: string): boolean {
  if (ended === null) return true
  const { strangers } = ended
  let from = 0
  for (let to = strangers.length; from < to; ) {
    const middle = (from + to) >> 1
    if ((strangers[middle] ?? '') < studentId) from = middle + 1
    else to = middle
  }
  return strangers[from] !== studentId
}

const byStudent = byId<Mark>(({ studentId }) => studentId)

export const noMarks: Marks = byStudent.none

export const markOf: (marks: Marks, studentId: string) => Mark | undefined = byStudent.get

/** The marks with this one, in place of the student's mark before. */
export const withMark: (marks: Marks, mark: Mark) => Marks = byStudent.with

export const countOf: (marks: Marks) => number = byStudent.count

export const allMarks = (marks: Marks): readonly Mark[] => marks.flat()
