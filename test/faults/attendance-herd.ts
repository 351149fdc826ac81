import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { CourseEvent } from '../../machines/course/events.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import { school } from '../support/attendance.ts'
import { eventually } from '../support/lessons.ts'
import { startServer } from '../support/server.ts'

export interface HerdReport {
  readonly checkIn: {
    presses: number
    again: number
    statuses: Record<string, number>
    sentMs: number
    tookMs: number
    p50Ms: number
    p99Ms: number
  }
  readonly watched: { most: number; last: readonly string[]; pushes: number }
  /** Of the session's report afterwards, while it is active. */
  readonly marked: number
  readonly histories: number
  readonly studentCount: number
  readonly final: { total: number; present: number; absent: number }
  /** Processor time of the server for the check-ins alone. */
  readonly serverCpuMs: number
}

/**
 * `students` check in over HTTP within `ms` while `watchers` of them watch the course; the clients are in a process of
 * their own.
 */
export async function attendanceHerd(students: number, watchers: number, ms: number): Promise<HerdReport> {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-herd-'))
  const course = { org: 'herd', course: 'algebra' }
  await record(data, course.course, students)
  const server = await startServer({ data })
  const herd = spawn(
    process.execPath,
    [join(import.meta.dirname, 'attendance-herd-clients.ts'), server.url, course.org],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  try {
    const ask = asking(herd)
    const its = await school(server, course)
    await ask(`watch ${watchers} ${course.course}`)
    const { id } = await its.start()
    const before = cpuMs(server.pid)
    const checkIn = (await ask(`check-in ${students} ${id} ${ms}`)) as HerdReport['checkIn']
    const serverCpuMs = cpuMs(server.pid) - before
    const truth = `[${students}]`
    const watched = (await eventually(
      () => ask('watched') as Promise<HerdReport['watched']>,
      ({ last }) => last.length === 1 && last[0] === truth,
    ).catch(() => ask('watched'))) as HerdReport['watched']
    const report = await its.report(id)
    const ended = await its.end(id)
    const histories = report.marks.reduce((sum: number, { history }: { history: object[] }) => sum + history.length, 0)
    const final = ended.body.data.final_statistics
    return {
      checkIn,
      watched,
      marked: report.marks.length,
      histories,
      studentCount: report.student_count,
      final,
      serverCpuMs,
    }
  } finally {
    herd.kill()
    await server.stop()
    await rm(data, { recursive: true, force: true })
  }
}

function asking(herd: ChildProcess): (command: string) => Promise<unknown> {
  const answers: PromiseWithResolvers<unknown>[] = []
  createInterface({ input: herd.stdout ?? process.stdin }).on('line', (line) => {
    const { failed, ...answer } = JSON.parse(line)
    const waiting = answers.shift()
    if (failed === undefined) waiting?.resolve(answer)
    else waiting?.reject(new Error(failed))
  })
  return (command) => {
    const answer = Promise.withResolvers<unknown>()
    answers.push(answer)
    herd.stdin?.write(`${command}\n`)
    return answer.promise
  }
}

/** A course with everybody in it: enrolling thousands over HTTP is not what is measured. */
async function record(data: string, course: string, students: number): Promise<void> {
  const at = Date.now()
  const events: CourseEvent[] = [{ type: 'CourseCreated', org: 'herd', title: 'Algebra', teacherIds: ['tea'], at }]
  for (let n = 0; n < students; n++) events.push({ type: 'StudentEnrolled', studentId: `s${n}`, at })
  const log = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal: () => {},
  })
  for (let from = 0; from < events.length; from += 500) {
    const proposed = events.slice(from, from + 500).map((event, n) => {
      const id = derivedUuid(`${course}/${from + n}`)
      return { id, event, meta: { correlationId: id, by: 'system' } }
    })
    await log.append(`course-${course}`, from - 1, proposed)
  }
  await log.close()
}

/** What a process has used so far, in steps of 10 ms (Linux). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
