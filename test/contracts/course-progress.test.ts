import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Campus, campus, TEA } from '../support/campus.ts'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let it: Campus
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  it = await campus(server)
})
afterEach(() => it.close())

const STU = ['student', 'stu'] as const
const teacher = async (): Promise<Client> => {
  const tea = await it.come(...TEA)
  await tea.ask('join_course', { course_id: it.course })
  return tea
}
const report = (client: Client, timestamp: number, progress = 10, video_id = it.video) =>
  client.ask('video_progress', { video_id, course_id: it.course, progress, timestamp })
const position = async (who: readonly [string, string] = STU, video = it.video) =>
  (await it.ask(who, 'GET', `/videos/${video}/position`)).body.data

test('[COURSE-30] instructors are told each report as it was sent, and what was watched', async () => {
  const [tea, stu] = [await teacher(), await it.come(...STU)]
  for (const [n, timestamp] of [0, 2, 4, 5.5].entries())
    expect(await report(stu, timestamp, n + 0.5)).toEqual([true, null])
  const last = await tea.told('student_progress', (data) => data.timestamp === 5.5)
  expect(last).toMatchObject({ user_id: 'stu', video_id: it.video, progress: 3.5, timestamp: 5.5 })
  for (const name of ['id', 'seq', 'pos']) expect(last).toHaveProperty(name)
  await tea.told('progress_update', (data) => data.watched_seconds === 5)
  expect(tea.all('progress_update').at(-1)).toMatchObject({ user_id: 'stu', percent_complete: 0.8 })
  expect(tea.all('student_progress')[0]).toMatchObject({ timestamp: 0, progress: 0.5 })
  expect(tea.all('progress_update')[0]).toMatchObject({ watched_seconds: 0, percent_complete: 0 })
})

test('[COURSE-30] a seek watches nothing, and what is watched twice counts once', async () => {
  const [tea, stu] = [await teacher(), await it.come(...STU)]
  for (const timestamp of [0, 2, 300, 302, 0, 1.5, 2]) expect(await report(stu, timestamp)).toEqual([true, null])
  await stu.ask('leave_video', { video_id: it.video })
  await tea.told('progress_update', (data) => data.watched_seconds === 4)
  expect(await position()).toMatchObject({ timestamp: 2, watched_seconds: 4 })
})

test('[COURSE-30] two tabs at two places both watch; a page that is loaded again goes on', async () => {
  const [tea, one, two] = [await teacher(), await it.come(...STU), await it.come(...STU)]
  for (const seconds of [0, 2, 4]) {
    expect(await report(one, seconds)).toEqual([true, null])
    expect(await report(two, 300 + seconds)).toEqual([true, null])
  }
  await tea.told('progress_update', (data) => data.watched_seconds === 8)
  two.close()
  const again = await it.come(...STU)
  await report(again, 306)
  await report(one, 6)
  await report(again, 308)
  await again.ask('leave_video', { video_id: it.video })
  expect(await position()).toMatchObject({ timestamp: 308, watched_seconds: 14 })
})

test('[COURSE-30] of a video whose length nobody knows percent is the most that was reported', async () => {
  const video = await it.addVideo({ title: 'Live' })
  const stu = await it.come(...STU)
  for (const [timestamp, progress] of [
    [0, 0],
    [1, 55.5],
    [2, 20],
  ] as const)
    expect(await report(stu, timestamp, progress, video)).toEqual([true, null])
  expect(await position(STU, video)).toMatchObject({ timestamp: 2, watched_seconds: 2, percent_complete: 55.5 })
})

test('[COURSE-33] however many report, an instructor gets at most five pushes a second of one video', async () => {
  const students = Array.from({ length: 30 }, (_, n) => `s${n}`)
  await it.enrol(...students)
  const tea = await teacher()
  const times: number[] = []
  tea.socket.onAny((name: string) => {
    if (name === 'student_progress' || name === 'progress_update') times.push(performance.now())
  })
  const clients = await Promise.all(students.map((id) => it.come('student', id)))
  for (let round = 0; round < 4; round++) await Promise.all(clients.map((client) => report(client, round * 2, round)))
  const latest = (name: string): Map<string, Record<string, number>> =>
    new Map(
      tea.all(name).flatMap((data) => (data.students ?? [data]).map((one: { user_id: string }) => [one.user_id, one])),
    )
  await expect
    .poll(() => [...latest('progress_update').values()].filter((one) => one.watched_seconds === 6).length, {
      timeout: 20_000,
    })
    .toBe(30)
  await expect
    .poll(() => [...latest('student_progress').values()].map(({ timestamp, progress }) => [timestamp, progress]), {
      timeout: 20_000,
    })
    .toEqual(students.map(() => [6, 3]))
  for (const [n, at] of times.entries()) {
    const sixth = times[n + 5]
    // A second there, less what a network may press together.
    if (sixth !== undefined) expect(sixth - at).toBeGreaterThan(900)
  }
})

test('[COURSE-34] who comes back is told where they were, and when they had seen it', async () => {
  const video = await it.addVideo({ title: 'Short', duration_seconds: 2 })
  expect(await position(STU, video)).toEqual({
    ...{ id: video, timestamp: 0, progress: 0, watched_seconds: 0, percent_complete: 0, completed_at: null },
  })
  const stu = await it.come(...STU)
  await report(stu, 0, 0, video)
  await report(stu, 2, 100, video)
  expect(await position(STU, video)).toMatchObject({ timestamp: 2, watched_seconds: 2, percent_complete: 100 })
  stu.close()
  await expect.poll(async () => (await position(STU, video)).completed_at, { timeout: 20_000 }).toMatch(/^\d{4}-.*Z$/)
  expect((await it.ask(['student', 'stranger'], 'GET', `/videos/${video}/position`)).status).toBe(403)
  expect((await it.ask(STU, 'GET', '/videos/nothing/position')).status).toBe(404)
})

test('[COURSE-35] teachers see the progress of every student, students their own; also as CSV', async () => {
  const stu = await it.come(...STU)
  await report(stu, 0, 0)
  await report(stu, 2, 1)
  await stu.ask('leave_video', { video_id: it.video })
  const all = (await it.ask(TEA, 'GET', '/progress')).body.data
  expect(all.map(({ user_id }: { user_id: string }) => user_id)).toEqual(['stu', 'sue'])
  expect(all[0]).toEqual({
    ...{ id: 'stu', user_id: 'stu', percent_complete: 0.3 },
    videos: [
      {
        ...{ video_id: it.video, title: 'Halves', watched_seconds: 2, percent_complete: 0.3, timestamp: 2 },
        completed_at: null,
      },
    ],
  })
  expect((await it.ask(STU, 'GET', '/progress')).body.data).toEqual([all[0]])
  expect((await it.ask(TEA, 'GET', '/progress?limit=1')).body).toMatchObject({ data: [all[0]], next: 'stu' })
  expect((await it.ask(TEA, 'GET', '/progress?limit=1&after=stu')).body.data).toEqual([all[1]])
  const csv = await it.company.http('admin', `/api/v1/courses/${it.course}/progress.csv`)
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect((await csv.text()).split('\r\n')).toEqual([
    'user_id,video_id,title,watched_seconds,percent_complete,completed_at',
    `stu,${it.video},Halves,2,0.3,`,
    `sue,${it.video},Halves,0,0,`,
    '',
  ])
  for (const path of ['/progress', '/progress.csv'])
    expect((await it.ask(['student', 'stranger'], 'GET', path)).status).toBe(403)
})

test('[COURSE-35] whatever their ids are, and however long a page is', async () => {
  const ids = ['a', 'a-b', 'a-b-c', 'a0', 'a_', 'A', 'b']
  await it.enrol(...ids)
  const watches = async (id: string): Promise<void> => {
    const client = await it.come('student', id)
    await report(client, 0)
    await report(client, 2)
    await client.ask('leave_video', { video_id: it.video })
  }
  await Promise.all(ids.map(watches))
  const watched: Record<string, number> = {}
  for (const limit of [1, 2, 3, 50])
    for (let after = ''; ; ) {
      const { data, next } = (await it.ask(TEA, 'GET', `/progress?limit=${limit}${after}`)).body
      for (const { user_id, videos } of data) watched[`${user_id} ${limit}`] = videos[0].watched_seconds
      if (!next) break
      after = `&after=${next}`
    }
  for (const limit of [1, 2, 3, 50])
    for (const id of ids) expect([id, limit, watched[`${id} ${limit}`]]).toEqual([id, limit, 2])
})
