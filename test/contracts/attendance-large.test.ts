import { beforeAll, describe, expect, test } from 'vitest'
import type { AttendanceEvent } from '../../machines/attendance/events.ts'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { type CourseTable, courseTables } from '../../src/contracts/attendance/course-table.ts'
import { attendanceCsv } from '../../src/contracts/attendance/csv.ts'
import { attendanceReports } from '../../src/contracts/attendance/reports.ts'
import { reportedSession } from '../../src/contracts/attendance/resources.ts'
import { enrolledAt } from '../../src/contracts/courses/enrolments.ts'
import { longJson } from '../../src/gateway/http/long-json.ts'
import { streamed } from '../../src/gateway/http/streamed.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import { slowly } from '../support/slowness.ts'

const STUDENTS = Array.from({ length: 6_000 }, (_, n) => `student-${String(n).padStart(5, '0')}`)
const SESSIONS = Array.from({ length: 200 }, (_, n) => `s${n}`)
const at = 1_700_000_000_000
let read = 0
let log: Log

async function put(stream: string, events: readonly Event[]): Promise<number> {
  const ids = events.map((_, n) => derivedUuid(`${stream} ${n}`))
  for (let from = 0; from < events.length; from += 1_000) {
    const part = events.slice(from, from + 1_000).map((event, n) => {
      const id = ids[from + n] ?? ''
      return { id, event, meta: { correlationId: id, by: 'system' } }
    })
    await log.append(stream, from - 1, part)
  }
  return events.length - 1
}

/** A session whose first `marked` students are present, and which has ended. */
function session(n: number, marked: number, courseSeq: number): readonly AttendanceEvent[] {
  const startedAt = at + n * 3_600_000
  const plan = { plannedMinutes: 50, checkIn: 'code', lateAfterMinutes: null, secret: 'x' } as const
  const start = {
    org: 'acme',
    courseId: 'c',
    teacherId: 'tea',
    teacherName: 'Tea',
    at: startedAt,
    dueAt: startedAt + 1,
  }
  const total = STUDENTS.length
  return [
    { type: 'AttendanceStarted', ...plan, ...start },
    ...Array.from({ length: marked }, (_, k): AttendanceEvent => {
      const studentId = STUDENTS[k] ?? `stranger-${k}`
      return { type: 'StudentMarked', studentId, status: 'present', via: 'code', by: studentId, at, reason: null }
    }),
    {
      type: 'AttendanceEnded',
      ...{ reason: 'ended', by: 'tea', byName: 'Tea', at: startedAt + 1, present: marked, total, courseSeq },
      strangers: [],
    },
  ]
}

beforeAll(async () => {
  const kept = memoryLog({ codec: codec(eventSchemas), now: () => at })
  log = {
    ...kept,
    async *read(stream, options) {
      for await (const batch of kept.read(stream, options)) {
        read += batch.length
        yield batch
      }
    },
  }
  const enrolled = STUDENTS.map((studentId) => ({ type: 'StudentEnrolled', studentId, at }))
  const courseSeq = await put('course-c', [
    { type: 'CourseCreated', org: 'acme', title: 'Algebra', teacherIds: ['tea'], at } as Event,
    ...enrolled,
  ])
  for (const [n, id] of SESSIONS.entries()) await put(`attendance-${id}`, session(n, n === 0 ? 12_000 : 20, courseSeq))
}, 60_000)

/** What `work` gives, and the longest that it kept this thread busy without a turn of the event loop, milliseconds. */
async function longestTurn<T>(work: () => Promise<T>): Promise<{ readonly made: T; readonly ms: number }> {
  let ms = 0
  let isOver = false
  const busy = (): number => process.threadCpuUsage().user / 1_000
  let last = busy()
  const turn = (): void => {
    const now = busy()
    ms = Math.max(ms, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
  last = busy()
  setImmediate(turn)
  const made = await work()
  isOver = true
  return { made, ms }
}

async function drained(body: ReadableStream<Uint8Array>): Promise<{ text: string; longest: number }> {
  const decoder = new TextDecoder()
  let text = ''
  let longest = 0
  for await (const part of body) {
    longest = Math.max(longest, part.length)
    text += decoder.decode(part, { stream: true })
  }
  return { text, longest }
}

const named = async (students: readonly string[]) =>
  students.map(() => ({ name: 'Ann Lee', email: 'ann@acme.example' }))
const table = async (): Promise<CourseTable> => {
  const made = await courseTables(log).of('c', SESSIONS, () => false)
  if (!made) throw new Error('there is no table')
  return made
}

describe('[ATT-29] the largest answers are made a slice at a time', () => {
  test('the CSV, of which nothing is made before it is asked for', async () => {
    const { made, ms } = await longestTurn(async () => drained(streamed(attendanceCsv(await table(), String, named))))
    const lines = made.text.trimEnd().split('\r\n')
    expect(lines).toHaveLength(1 + 12_000) // with those who are marked and not enrolled
    expect(lines.some((line) => line.startsWith(`${STUDENTS[0]},present,present`))).toBe(true)
    expect(made.longest).toBeLessThan(256 * 1024)
    expect(ms).toBeLessThan(slowly(20))
  })

  test('the report of a session with 12,000 marks', async () => {
    const { made, ms } = await longestTurn(async () => {
      const report = await attendanceReports(log).now('s0')
      if (!report) throw new Error('there is no report')
      const data = await reportedSession('s0', report)
      const body = longJson({ data })
      return { data, ...(await drained(body ?? new ReadableStream())) }
    })
    expect(made.data.marks).toHaveLength(12_000)
    expect(JSON.parse(made.text)).toEqual(JSON.parse(JSON.stringify({ data: made.data })))
    expect(ms).toBeLessThan(slowly(20))
  })

  test('whoever does not read is made nothing for, and whoever goes ends it', async () => {
    let looks = 0
    let isOver = false
    async function* parts() {
      try {
        yield* attendanceCsv(await table(), String, async (students) => {
          looks++
          return named(students)
        })
      } finally {
        isOver = true
      }
    }
    const reader = streamed(parts()).getReader()
    await reader.read()
    expect(looks).toBe(0) // the head
    await reader.read()
    expect(looks).toBe(1)
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(looks).toBe(1)
    await reader.cancel()
    expect([looks, isOver]).toEqual([1, true])
  })

  test('nobody waits: nothing more is read', async () => {
    read = 0
    expect(await courseTables(log).of('c', SESSIONS, () => read > 100)).toBeNull()
    expect(read).toBeLessThan(13_000)
  })
})

describe('[ATT-30] what was read once is kept, as far as it is not too much', () => {
  const inTurn = async (reports: ReturnType<typeof attendanceReports>) => {
    read = 0
    for (const id of SESSIONS.slice(1)) await reports.now(id)
    return read
  }
  test('two hundred reports in turn', async () => {
    const reports = attendanceReports(log)
    expect(await inTurn(reports)).toBe(199 * 22)
    expect(await inTurn(reports)).toBe(0)
  })
  test('no more than so many events', async () => {
    const reports = attendanceReports(log, 1_000)
    await inTurn(reports)
    expect(await inTurn(reports)).toBe(199 * 22)
    for (const again of [1, 2]) {
      read = 0
      await reports.now('s199')
      expect(read, String(again)).toBe(0)
    }
  })
  test('a table of the CSV, which the next one takes up', async () => {
    const tables = courseTables(log)
    await tables.of('c', SESSIONS, () => false)
    read = 0
    await tables.of('c', SESSIONS, () => false)
    expect(read).toBe(STUDENTS.length + 1) // the course itself
    const none = courseTables(log, 0)
    await none.of('c', SESSIONS, () => false)
    read = 0
    await none.of('c', SESSIONS, () => false)
    expect(read).toBeGreaterThan(12_000)
  })
  test('a first mark after the end reads what has happened to the course since, not its whole roster', async () => {
    const seq = STUDENTS.length
    await log.append('course-c', seq, [
      {
        id: derivedUuid('gone'),
        event: { type: 'StudentUnenrolled', studentId: 'student-00007', at } as Event,
        meta: { correlationId: derivedUuid('gone'), by: 'system' },
      },
    ])
    const now = { id: 'c', seq: seq + 1, students: STUDENTS.filter((id) => id !== 'student-00007') }
    read = 0
    const enrolled = await enrolledAt(log, now, seq)
    expect(read).toBe(1)
    expect(['student-00007', 'student-00008', 'nobody'].map(enrolled)).toEqual([true, true, false])
    const late = await enrolledAt(log, { id: 'c', seq, students: STUDENTS }, seq + 1) // a node that is behind
    expect(['student-00007', 'student-00008'].map(late)).toEqual([false, true])
  })
})
