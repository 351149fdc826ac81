import { expect, test } from 'vitest'
import { sized } from '../support/sized.ts'
import { slowly } from '../support/slowness.ts'
import { attendanceHerd } from './attendance-herd.ts'

const STUDENTS = sized(500, 5_000)
const WATCHERS = sized(50, 500)
const WITHIN_MS = sized(500, 2_000)

test(`[WATCH-18] ${STUDENTS} check in, ${WATCHERS} watch: each counts once, the last push is true`, async () => {
  const herd = await attendanceHerd(STUDENTS, WATCHERS, WITHIN_MS)
  const { checkIn, watched, marked, histories, studentCount, final } = herd
  expect(checkIn.statuses).toEqual({ 200: checkIn.presses })
  expect({ marked, histories, studentCount }).toEqual({ marked: STUDENTS, histories: STUDENTS, studentCount: STUDENTS })
  expect(watched.last).toEqual([`[${STUDENTS}]`])
  // Pushes that a busy machine holds up arrive together.
  expect(watched.most).toBeLessThanOrEqual(slowly(5))
  expect(final).toEqual({ total: STUDENTS, present: STUDENTS, absent: 0 })
})
