import type { MarkStatus } from '../../../machines/attendance/events.ts'
import { counts, isPresent } from '../../../machines/attendance/marks.ts'
import type { Enrolments } from '../courses/enrolments.ts'

/** One session as far as a table of them needs it. Times in milliseconds since 1970. */
export interface Column {
  readonly id: string
  readonly startedAt: number
  /** Without end while it goes on. */
  readonly endsAt: number
  /** Of a session that has ended. */
  readonly ended: { readonly courseSeq: number; readonly strangers: readonly string[] } | null
  /** By the students' numbers: the code of their mark, 0 where there is none. */
  readonly statuses: Uint8Array
  /** The other columns that went on at the same time. */
  readonly overlapping: readonly Column[]
}

const STATUSES = ['present', 'late', 'excused', 'absent'] as const satisfies readonly MarkStatus[]

/**
 * What a table says of a student in a session, as a small number: nothing, one of `STATUSES`, `elsewhere`, or a mark
 * that does not count.
 */
export type CellCode = number

export const codeOf = (status: MarkStatus): CellCode => STATUSES.indexOf(status) + 1
const ABSENT = codeOf('absent')
const ELSEWHERE = STATUSES.length + 1
/** On top of the code of a mark that does not count. */
const UNCOUNTED = ELSEWHERE

/** By code. */
export const CELL_TEXTS: readonly string[] = [
  '',
  ...STATUSES,
  'elsewhere',
  ...STATUSES.map((status) => `(${status})`), // said, but not counted
]

const IS_PRESENT: readonly boolean[] = [false, ...STATUSES.map((status) => isPresent({ status }))]

/**
 * One student in each of these sessions. Whoever was enrolled at the end and has no mark was absent, or `elsewhere`:
 * nobody can be in two sessions at once, and many groups of one course meet at the same time. Nothing is said of those
 * who were not enrolled, or of a session that goes on.
 */
export function cellsOf(
  { columns, enrolments }: { readonly columns: readonly Column[]; readonly enrolments: Enrolments },
  student: string,
  number: number | undefined,
): readonly CellCode[] {
  const wasEnrolled = enrolments.of(student)
  const mark = ({ statuses }: Column): CellCode => (number === undefined ? 0 : (statuses[number] ?? 0))
  return columns.map((column) => {
    const status = mark(column)
    const { ended } = column
    if (status !== 0) return counts(ended, student) ? status : UNCOUNTED + status
    if (ended === null || !wasEnrolled(ended.courseSeq)) return 0
    return column.overlapping.some((other) => IS_PRESENT[mark(other)]) ? ELSEWHERE : ABSENT
  })
}

/** How often somebody was what. */
export interface Tally {
  readonly present: number
  readonly late: number
  readonly excused: number
  readonly absent: number
  readonly elsewhere: number
  /** Present or late. */
  readonly attended: number
  /**
   * Percent, with one decimal: attended of present, late and absent. Who was excused or elsewhere is not asked. Null
   * where there is nothing to divide by.
   */
  readonly rate: number | null
}

export function tallyOf(cells: readonly CellCode[]): Tally {
  const counted = CELL_TEXTS.map(() => 0)
  for (const code of cells) counted[code] = (counted[code] ?? 0) + 1
  const [, present = 0, late = 0, excused = 0, absent = 0, elsewhere = 0] = counted
  const attended = present + late
  const asked = attended + absent
  const rate = asked === 0 ? null : Math.round((1_000 * attended) / asked) / 10
  return { present, late, excused, absent, elsewhere, attended, rate }
}

/** The columns, sorted by their start, each with those that went on at the same time. */
export function overlapping(columns: readonly Column[]): readonly Column[] {
  const others = columns.map((): Column[] => [])
  for (const [n, column] of columns.entries())
    for (let later = n + 1; later < columns.length; later++) {
      const other = columns[later]
      if (!other || other.startedAt >= column.endsAt) break
      others[n]?.push(other)
      others[later]?.push(column)
    }
  return columns.map((column, n) => ({ ...column, overlapping: others[n] ?? [] }))
}
