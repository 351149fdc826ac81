import { expect, test } from 'vitest'
import { attendanceHerd } from './attendance-herd.ts'

const STUDENTS = 5_000
const WATCHERS = 500

test('[WATCH-18] five thousand check in within two seconds while five hundred watch: each once, none lost, and the last push is the truth', async () => {
  const { checkIn, watched, marked, histories, studentCount, final, serverCpuMs } = await attendanceHerd(
    STUDENTS,
    WATCHERS,
    2_000,
  )
  process.stdout.write(
    `herd: ${checkIn.presses} requests (and ${checkIn.again} again) sent in ${Math.round(checkIn.sentMs)} ms, answered in ${Math.round(checkIn.tookMs)} ms ` +
      `(p50 ${Math.round(checkIn.p50Ms)}, p99 ${Math.round(checkIn.p99Ms)} ms, server CPU ${serverCpuMs} ms); ` +
      `${watched.pushes} pushes to a watcher, at most ${watched.most} a second\n`,
  )
  expect(checkIn.statuses).toEqual({ 200: checkIn.presses })
  expect({ marked, histories, studentCount }).toEqual({ marked: STUDENTS, histories: STUDENTS, studentCount: STUDENTS })
  expect(watched.last).toEqual([`[${STUDENTS}]`])
  expect(watched.most).toBeLessThanOrEqual(5)
  expect(final).toEqual({ total: STUDENTS, present: STUDENTS, absent: 0 })
  // Processor time and not the clock, which tells how busy the machine is otherwise.
  expect(serverCpuMs).toBeLessThan(8_000)
}, 60_000)
