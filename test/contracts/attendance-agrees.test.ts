import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttendanceCommand } from '../../machines/attendance/commands.ts'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { CourseCommand } from '../../machines/course/commands.ts'
import type { Party } from '../../machines/kernel.ts'
import { courseTables } from '../../src/contracts/attendance/course-table.ts'
import { attendanceCsv } from '../../src/contracts/attendance/csv.ts'
import { attendanceReports } from '../../src/contracts/attendance/reports.ts'
import { listedSession, reportedSession } from '../../src/contracts/attendance/resources.ts'
import { enrolledAt, enrolmentsOf } from '../../src/contracts/courses/enrolments.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'

const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const STUDENTS = ['a', 'b', 'c', 'd'] as const
const SESSIONS = ['s0', 's1', 's2'] as const

/** What happens, in an order that chance makes. */
const doing = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('enrol', 'unenrol'), who: fc.constantFrom(...STUDENTS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('start', 'end'), in: fc.constantFrom(...SESSIONS) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('mark'),
      in: fc.constantFrom(...SESSIONS),
      who: fc.constantFrom(...STUDENTS),
      status: fc.constantFrom('present', 'late', 'excused', 'absent'),
    }),
  },
)

test('[ATT-22] statistics, report, list and CSV agree, whoever comes, goes, is marked and corrected', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(doing, { maxLength: 60, size: 'max' }), async (all) => {
      let at = 1_700_000_000_000
      const log = memoryLog({ codec: codec(eventSchemas), now: () => at })
      const entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: () => at, idleMs: 60_000 })
      const toCourse = (command: Omit<Extract<CourseCommand, { type: 'Enrol' | 'Unenrol' }>, 'by' | 'at'>) =>
        entities.ask('course', 'c', { ...command, by: tea, at })
      await entities.ask('course', 'c', { type: 'CreateCourse', title: 'Algebra', teacherIds: [], by: tea, at })
      const tables = courseTables(log)
      const started = new Set<string>()
      for (const one of [...all, ...SESSIONS.map((id) => ({ do: 'end', in: id }) as const)]) {
        at += 7
        const { revision: seq, state } = await entities.state('course', 'c')
        const { students } = state.context
        const inSession = (id: string, command: AttendanceCommand) => entities.ask('attendance', id, command)
        if (one.do === 'enrol') await toCourse({ type: 'Enrol', studentId: one.who })
        if (one.do === 'unenrol') await toCourse({ type: 'Unenrol', studentId: one.who })
        if (one.do === 'start') {
          const plan = { plannedMinutes: 60, overrunMinutes: 0, checkIn: 'manual', lateAfterMinutes: null } as const
          const who = { courseId: 'c', teacherName: 'Tea', secret: 'x', teaches: true, by: tea, at }
          await inSession(one.in, { type: 'StartAttendance', ...plan, ...who })
        }
        if (one.do === 'end') {
          const roster = { courseSeq: seq, students }
          await inSession(one.in, { type: 'EndAttendance', teaches: true, byName: 'Tea', roster, by: tea, at })
        }
        if (one.do === 'mark') {
          const { courseSeq } = (await entities.state('attendance', one.in)).state.context
          const isEnrolled = await enrolledAt(log, { id: 'c', seq, students }, courseSeq ?? seq)
          const enrolled = isEnrolled(one.who)
          if (courseSeq !== null) expect((await enrolmentsOf(log, 'c')).of(one.who)(courseSeq)).toBe(enrolled)
          const mark = { studentId: one.who, status: one.status, reason: null, enrolled, courseSeq, teaches: true }
          await inSession(one.in, { type: 'Mark', ...mark, by: tea, at })
        }
        if (at % 5 === 0)
          await tables.of(
            'c',
            SESSIONS.filter((id) => started.has(id)),
            () => false,
          ) // kept, and goes on
        if ('in' in one && (await entities.state('attendance', one.in)).revision >= 0) started.add(one.in)
      }
      await agrees(log, [...started], tables)
      await entities.stop()
    }),
    { numRuns: 60 },
  )
})

async function agrees(
  log: ReturnType<typeof memoryLog>,
  ids: readonly string[],
  tables: ReturnType<typeof courseTables>,
) {
  const table = await tables.of('c', ids, () => false)
  if (!table) throw new Error('there is no table')
  let text = ''
  for await (const part of attendanceCsv(table, String, async () => [])) text += part
  const rows = text
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
  const [head = [], ...students] = rows
  const of = (row: readonly string[], name: string) => Number(row[head.indexOf(name)])
  const sums = { attended: 0, counted: 0 }
  for (const [nth, { id }] of table.columns.entries()) {
    const report = await attendanceReports(log).now(id)
    if (!report) throw new Error(`session ${id} has no report`)
    const { marks, ...rest } = await reportedSession(id, report)
    expect(listedSession(id, report.row)).toEqual(rest)
    const present = marks.filter(({ status }) => status === 'present' || status === 'late')
    expect(rest.student_count).toBe(present.length)
    const cells = students.map((row) => row[nth + 1] ?? '').filter((cell) => cell !== '' && !cell.startsWith('('))
    const inColumn = cells.filter((cell) => cell === 'present' || cell === 'late').length
    expect(rest.final_statistics).toEqual({ total: cells.length, present: inColumn, absent: cells.length - inColumn })
    expect(present.filter(({ counts }) => counts !== false)).toHaveLength(inColumn)
    sums.attended += inColumn
    sums.counted += cells.length
  }
  const total = (name: string) => students.reduce((sum, row) => sum + of(row, name), 0)
  expect(total('attended')).toBe(sums.attended)
  const all = ['present', 'late', 'excused', 'absent', 'elsewhere'].reduce((sum, name) => sum + total(name), 0)
  expect(all).toBe(sums.counted)
}
