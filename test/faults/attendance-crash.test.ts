import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AttendanceEvent } from '../../machines/attendance/events.ts'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { CourseEvent } from '../../machines/course/events.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import { held, type School, school, TEA } from '../support/attendance.ts'
import { eventually } from '../support/lessons.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { slowly } from '../support/slowness.ts'
import { lastingPort } from './command-line.ts'

let data: string
let port: string
let server: TestServer
let it: School | undefined

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-attendance-'))
  port = String(await lastingPort())
})
afterEach(async () => {
  it?.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const start = async (): Promise<void> => {
  server = await startServer({ data, env: { PORT: port } })
}
const kill = async (): Promise<void> => {
  server.kill('SIGKILL')
  await server.ended
}

const STUDENTS = 40
const ROUNDS = sized(2, 6)

test(
  '[WATCH-19] a server that is killed at any moment of a session keeps every acknowledged mark, once, ' +
    'and tells the same report again',
  async () => {
    await start()
    const here = await school(server)
    it = here
    const ids = Array.from({ length: STUDENTS }, (_, n) => `s${n}`)
    await here.enrol(...ids)
    const { id } = await here.start()
    const path = `/courses/${here.course}/attendance-sessions/${id}`
    const watcher = await here.come(['student', 's1'], {
      reconnection: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
    })
    const subscribe = (): void => void watcher.socket.emit('subscribeToCourse', { course_id: here.course })
    watcher.socket.off('connect_error').on('connect', subscribe) // while no server is there it knocks again
    subscribe()
    /** What was acknowledged last, by student, and how often each was acknowledged something new. */
    const acked = new Map<string, { status: string; seq: number }>()
    let running = true
    let calls = 0

    /** Marks one student after the other, each call under a name of its own, again and again until it is answered. */
    const marking = async (own: readonly string[]): Promise<void> => {
      for (let n = 0; running; n++) {
        const student = own[n % own.length] ?? ''
        const status = ['present', 'absent', 'late', 'excused'][n % 4] ?? ''
        const key = `call ${++calls}`
        const answer = await persistently(() =>
          here.as(TEA, 'POST', `${path}/marks`, { student_id: student, status }, key),
        )
        expect(answer.status, JSON.stringify(answer.body)).toBe(200)
        acked.set(student, { status, seq: answer.body.data.seq })
        await pause(3)
      }
    }
    const under = Array.from({ length: 4 }, (_, n) => marking(ids.filter((_, nth) => nth % 4 === n)))
    for (let round = 0; round < ROUNDS; round++) {
      await pause(Math.random() * 400)
      await kill()
      await start()
    }
    await pause(100)
    running = false
    await Promise.all(under)

    const before = await here.as(TEA, 'GET', path)
    const { code: _, code_expires_at: __, ...report } = before.body.data
    expect(report.started_at).toBe((await here.as(TEA, 'GET', `${path}?at=0`)).body.data.started_at)
    let facts = 0
    for (const { student_id, status, seq, history } of report.marks) {
      expect({ student_id, status, seq }).toEqual({ student_id, ...acked.get(student_id) })
      facts += history.length
      for (const [n, fact] of history.entries()) if (n > 0) expect(fact.status).not.toBe(history[n - 1].status)
    }
    expect(facts).toBe(report.seq) // nothing was recorded twice: all events but the first are marks
    const present = report.marks.filter(
      ({ status }: { status: string }) => status === 'present' || status === 'late',
    ).length
    expect(report.student_count).toBe(present)
    await eventually(
      () => held(watcher, here.course),
      (counts) => counts?.[id] === present,
    )

    await kill()
    await start()
    const after = await here.as(TEA, 'GET', path)
    const { code: ___, code_expires_at: ____, ...again } = after.body.data
    expect(JSON.stringify(again)).toBe(JSON.stringify(report))
    const client = await here.come(['student', 's0'])
    await client.ask('subscribeToCourse', { course_id: here.course })
    expect(held(client, here.course)).toEqual({ [id]: present })
    const ended = await here.end(id)
    expect(ended.body.data.final_statistics).toEqual({ total: STUDENTS, present, absent: STUDENTS - present })
    await kill()
    await start()
    expect((await here.as(TEA, 'GET', path)).body).toEqual(ended.body)
  },
)

test('[WATCH-19] a session that was due while no server was there has ended when it was due', async () => {
  const due = Date.now() + slowly(1_500)
  await record([
    ['course-c', [created, enrolled('ann'), enrolled('bob')]],
    ['attendance-early', [begun(due), marked('ann'), marked('stranger')]],
  ])
  await start()
  await kill()
  await eventually(Date.now, (now) => now > due)
  await start()
  const here = await school(server, { org: 'acme', course: 'c' })
  const report = await eventually(
    () => here.report('early'),
    ({ state }) => state === 'ended',
  )
  const facts = { ended_at: new Date(due).toISOString(), ended_by: 'system', end_reason: 'overrun' }
  expect(report).toMatchObject({ ...facts, final_statistics: { total: 2, present: 1, absent: 1 } })
})

test(
  '[WATCH-15] a session that nobody ends ends when it is due, by the system, and those who watch are ' + 'told',
  async () => {
    const due = Date.now() + slowly(4_000)
    await record([
      ['course-c', [created, enrolled('ann'), enrolled('bob')]],
      ['attendance-late', [begun(due), marked('bob')]],
    ])
    await start()
    const here = await school(server, { org: 'acme', course: 'c' })
    it = here
    const client = await here.come(['student', 'ann'])
    await client.ask('subscribeToCourse', { course_id: 'c' })
    expect(held(client, 'c')).toEqual({ late: 1 })
    const told = await client.told('courseSessionEnded')
    expect(told).toMatchObject({ session_id: 'late', ended_by: 'system', ended_at: new Date(due).toISOString() })
    expect(told.final_statistics).toEqual({ total: 2, present: 1, absent: 1 })
    await eventually(
      () => held(client, 'c'),
      (counts) => JSON.stringify(counts) === '{}',
    )
    expect((await here.checkIn('late', 'ann').catch(String)).toString()).toContain('session-ended')
  },
)

/** Until the server answers: a call whose answer was lost is repeated under its name. */
async function persistently<T extends { status: number }>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer && answer.status !== 503) return answer
    await pause(20)
  }
}

const created: CourseEvent = { type: 'CourseCreated', org: 'acme', title: 'Algebra', teacherIds: ['tea'], at: 1 }
const enrolled = (studentId: string): CourseEvent => ({ type: 'StudentEnrolled', studentId, at: 2 })
const marked = (studentId: string): AttendanceEvent => {
  return { type: 'StudentMarked', studentId, status: 'present', via: 'teacher', by: 'tea', at: 3, reason: null }
}
/** A session that began a while ago: no test can wait for a whole minute. */
const begun = (dueAt: number): AttendanceEvent => ({
  type: 'AttendanceStarted',
  org: 'acme',
  courseId: 'c',
  teacherId: 'tea',
  teacherName: 'Tea',
  plannedMinutes: 30,
  checkIn: 'code',
  lateAfterMinutes: null,
  secret: 'not so secret',
  at: dueAt - 60 * 60_000,
  dueAt,
})

async function record(
  streams: readonly (readonly [string, readonly (AttendanceEvent | CourseEvent)[]])[],
): Promise<void> {
  const log = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal: () => {},
  })
  for (const [stream, events] of streams) {
    const proposed = events.map((event, n) => {
      const id = derivedUuid(`${stream}/${n}`)
      return { id, event, meta: { correlationId: id, by: 'system' } }
    })
    await log.append(stream, -1, proposed)
  }
  await log.close()
}
