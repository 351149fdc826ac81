import { setImmediate } from 'node:timers/promises'
import { stringify } from 'csv-stringify/sync'
import { isPresent } from '../../../machines/attendance/marks.ts'
import type { AttendanceSessionRow } from '../../../projections/attendance-sessions.ts'
import type { Log } from '../../log/log.ts'
import { type Enrolments, enrolmentsOf } from '../courses/enrolments.ts'
import { iso } from '../shared/iso.ts'
import { attendanceReports } from './reports.ts'

/** One session as far as a table of them needs it. */
interface Column {
  readonly row: AttendanceSessionRow
  /** By student; only those who have a mark. */
  readonly statuses: ReadonlyMap<string, Status>
}

type Status = (typeof STATUSES)[number]
const STATUSES = ['present', 'late', 'excused', 'absent'] as const

/**
 * The attendance of a course: a line for everybody who is enrolled, was so at the end of one of the sessions, or has a
 * mark in one, by id; a column for each session (its start), then how often they were what. RFC 4180 with CRLF; a cell
 * that a spreadsheet would take for a formula gets an apostrophe in front.
 */
export async function attendanceCsv(log: Log, courseId: string, sessionIds: readonly string[]): Promise<string> {
  const enrolments = await enrolmentsOf(log, courseId)
  const reports = attendanceReports(log, 1)
  const columns: Column[] = []
  for (const id of sessionIds) {
    const report = await reports.now(id)
    if (!report) throw new Error(`session ${id} is listed and has no events`)
    const statuses = new Map<string, Status>()
    for (const [student, facts] of report.marks) {
      const last = facts.at(-1)
      if (last) statuses.set(student, last.status)
    }
    columns.push({ row: report.row, statuses })
    await setImmediate() // reading an embedded log never waits: others have a turn between two sessions
  }
  columns.sort((a, b) => a.row.startedAt - b.row.startedAt)
  const marked = columns.flatMap(({ statuses }) => [...statuses.keys()])
  const expected = enrolments
    .ever()
    .filter((student) => columns.some((column) => cellOf(student, column, enrolments) !== ''))
  const students = [...new Set([...enrolments.now(), ...marked, ...expected])].sort()
  const head = ['student_id', ...columns.map(({ row }) => iso(row.startedAt)), ...STATUSES, 'attended']
  const lines = students.map((student) => lineOf(student, columns, enrolments))
  return stringify([head, ...lines], { record_delimiter: 'windows', escape_formulas: true })
}

/** `attended`: present or late. */
function lineOf(student: string, columns: readonly Column[], enrolments: Enrolments): (string | number)[] {
  const cells = columns.map((column) => cellOf(student, column, enrolments))
  const counts = STATUSES.map((status) => cells.filter((cell) => cell === status).length)
  const attended = cells.filter((status) => status !== '' && isPresent({ status })).length
  return [student, ...cells, ...counts, attended]
}

/**
 * Whoever was enrolled at the end and has no mark was absent. Nothing is said of those who were not, or of a session
 * that goes on.
 */
function cellOf(student: string, { row: { ended }, statuses }: Column, enrolments: Enrolments): Status | '' {
  const status = statuses.get(student)
  if (status !== undefined) return status
  return ended !== null && enrolments.had(student, ended.courseSeq) ? 'absent' : ''
}
