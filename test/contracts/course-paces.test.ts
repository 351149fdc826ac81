import { beforeEach, expect, test } from 'vitest'
import { crowdPace } from '../../src/contracts/courses/crowd-pace.ts'
import type { ProgressNotice } from '../../src/contracts/courses/notices.ts'
import { spreadPace } from '../../src/contracts/courses/spread-pace.ts'
import { manualClock } from '../support/clock.ts'

let clock: ReturnType<typeof manualClock>
// biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes
let pushed: { readonly at: number; readonly room: string; readonly name: string; readonly data: any }[]
let size: number
const outlet = {
  push: ({ room }: { readonly room: string }, name: string, data: object) =>
    void pushed.push({ at: clock.now(), room, name, data }),
  size: () => size,
}
beforeEach(() => {
  clock = manualClock()
  pushed = []
  size = 1
})

const report = (user_id: string, timestamp: number): ProgressNotice => ({
  to: { kind: 'instructors', room: 'of r' },
  name: 'student_progress',
  data: { id: `${user_id}${timestamp}`, seq: 0, pos: '0', user_id, video_id: 'v', progress: 1, timestamp },
})
const update = (user_id: string, watched_seconds: number): ProgressNotice => ({
  to: { kind: 'instructors', room: 'of r' },
  name: 'progress_update',
  data: { id: `${user_id}-`, seq: 0, pos: '0', user_id, video_id: 'v', watched_seconds, percent_complete: 1 },
})

test('[COURSE-33] at most five pushes in any second; every report is told as it came', () => {
  const crowd = crowdPace({ outlet, clock })
  for (let second = 0; second < 60; second++) {
    crowd.tell(report(`s${second % 3}`, second))
    crowd.tell(update(`s${second % 3}`, second))
    clock.advance(100)
  }
  clock.advance(5_000)
  for (const [n, { at }] of pushed.entries())
    if (n >= 5) expect(at - (pushed[n - 5]?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
  const all = (name: string) => pushed.filter((one) => one.name === name).flatMap(({ data }) => data.students ?? [data])
  expect(
    all('student_progress')
      .map(({ timestamp }) => timestamp)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 60 }, (_, second) => second))
  for (const [n, id] of ['s0', 's1', 's2'].entries()) {
    const its = all('student_progress').filter(({ user_id }) => user_id === id)
    expect(its.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 20 }, (_, m) => n + 3 * m))
    const updates = all('progress_update').filter(({ user_id }) => user_id === id)
    expect(updates.at(-1).watched_seconds).toBe(57 + n)
  }
})

test('[COURSE-27] a few who come are told of at once, each by itself', () => {
  const spread = spreadPace({ outlet, clock })
  for (let n = 0; n < 30; n++)
    spread.tell({ to: { kind: 'video', room: 'of v' }, name: 'user_joined_video', data: { n } })
  expect(pushed.map(({ data }) => data.n)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  expect(pushed.every(({ at }) => at === pushed[0]?.at)).toBe(true)
})

test('[COURSE-27] of a herd each is told, in order, some in each turn; others do not wait for it', () => {
  size = 1_000
  const spread = spreadPace({ outlet, clock })
  const tell = (of: string, n: number) =>
    spread.tell({ to: { kind: 'video', room: `of ${of}` }, name: 'user_joined_video', data: { n } })
  for (let n = 0; n < 1_000; n++) tell('herd', n)
  tell('small', 0)
  expect(pushed).toHaveLength(4) // thousand connections each
  clock.advance(100)
  expect(pushed.slice(4).map(({ room }) => room)).toContain('of small')
  for (let turn = 0; turn < 300; turn++) {
    const before = pushed.length
    clock.advance(100)
    expect(pushed.length - before).toBeLessThanOrEqual(4)
  }
  expect(pushed.filter(({ room }) => room === 'of herd').map(({ data }) => data.n)).toEqual(
    Array.from({ length: 1_000 }, (_, n) => n),
  )
  spread.stop()
})
