import { stringify } from 'csv-stringify/sync'
import { slice } from '../../slices.ts'
import { sorted } from '../../sorted.ts'
import { CELL_TEXTS, type CellCode, cellsOf, tallyOf } from './cells.ts'
import type { CourseTable } from './course-table.ts'
import type { Named } from './people-named.ts'

/** Lines that are made of one look at the names. */
const LINES = 100
const CRLF = '\r\n'

/**
 * The attendance of a course: a line for everybody who is enrolled, was so at the end of one of the sessions, or has a
 * mark in one, by id; a column for each session (its start), then how often they were what, and who they are. RFC 4180
 * with CRLF; a cell that a spreadsheet would take for a formula gets an apostrophe in front. In parts of some lines.
 */
export async function* attendanceCsv(
  table: CourseTable,
  startOf: (ms: number) => string,
  named: (students: readonly string[]) => Promise<readonly Named[]>,
): AsyncGenerator<string> {
  const enrolled = table.enrolments.now()
  const students = await sorted([...new Set([...table.enrolments.ever(), ...table.marked])])
  const isEnrolled = new Set(enrolled)
  const starts = toldApart(table.columns.map(({ startedAt }) => startOf(startedAt)))
  yield `${['student_id', ...starts, ...COUNTS, ...ABOUT].join()}${CRLF}`
  for (let from = 0; from < students.length; from += LINES) {
    const found: (readonly [student: string, cells: readonly CellCode[]])[] = []
    for (const student of students.slice(from, from + LINES)) {
      const cells = cellsOf(table, student, table.numberOf(student))
      if (isEnrolled.has(student) || cells.some((code) => code !== 0)) found.push([student, cells])
      await slice()
    }
    const people = await named(found.map(([student]) => student))
    let lines = ''
    for (const [nth, [student, cells]] of found.entries()) {
      lines += lineOf(student, cells, people[nth])
      await slice()
    }
    if (lines !== '') yield lines
  }
}

const COUNTS = ['present', 'late', 'excused', 'absent', 'attended'] as const
const ABOUT = ['elsewhere', 'rate', 'name', 'email']

function lineOf(student: string, cells: readonly CellCode[], person: Named | undefined): string {
  const tally = tallyOf(cells)
  let line = textCell(student)
  for (const code of cells) line += `,${CELL_TEXTS[code]}`
  for (const count of COUNTS) line += `,${tally[count]}`
  line += `,${tally.elsewhere},${tally.rate ?? ''},${textCell(person?.name ?? '')},${textCell(person?.email ?? '')}`
  return line + CRLF
}

/** Nearly all ids, names and addresses: nothing in them has to be quoted. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9 _.@-]*$/
const textCell = (text: string): string =>
  text === '' || PLAIN.test(text) ? text : stringify([[text]], { eof: false, escape_formulas: true })

/** Of several sessions that began in one millisecond the second is headed `… (2)`. */
function toldApart(starts: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return starts.map((start) => {
    const times = (seen.get(start) ?? 0) + 1
    seen.set(start, times)
    return times === 1 ? start : `${start} (${times})`
  })
}
