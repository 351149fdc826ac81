import { expect, onTestFinished, test } from 'vitest'
import { freshData, recordIn } from '../support/data.ts'
import { call } from '../support/lessons.ts'
import { startServer, tokenFor } from '../support/server.ts'

const [STUDENTS, VIDEOS] = [300, 210]
const at = 1_700_000_000_000

test('[COURSE-35] every video is shown, however many; what one answer does not hold comes page by page', async () => {
  const of = { org: 'acme', at }
  const created = { type: 'CourseCreated', ...of, title: 'C', teacherIds: ['tea'] }
  const data = await freshData()
  await recordIn(data, [
    ...['large', 'small'].map((id) => [`course-${id}`, created] as const),
    ...Array.from(
      { length: STUDENTS },
      (_, n) => ['course-large', { type: 'StudentEnrolled', studentId: `s${n}`, at }] as const,
    ),
    ['course-small', { type: 'StudentEnrolled', studentId: 's0', at }],
    ...['large', 'small'].flatMap((courseId) =>
      Array.from({ length: VIDEOS }, (_, n) => {
        const added = { type: 'VideoAdded', ...of, courseId, title: `V${n}`, durationSeconds: 60, addedBy: 'tea' }
        return [`video-${courseId}${n}`, { ...added, at: at + n }] as const
      }),
    ),
  ])
  const server = await startServer({ data })
  onTestFinished(async () => void (await server.stop()))
  const tea = await tokenFor('teacher', 'tea')
  const small = (await call(server.url, tea, 'GET', '/courses/small/progress')).body.data
  expect(small[0].videos).toHaveLength(VIDEOS)
  const csv = await fetch(`${server.url}/api/v1/courses/small/progress.csv`, {
    headers: { authorization: `Bearer ${tea}` },
  })
  expect((await csv.text()).trim().split('\r\n')).toHaveLength(1 + VIDEOS)

  const { status, body } = await call(server.url, tea, 'GET', '/courses/large/progress.csv')
  expect([status, body.error.code]).toEqual([413, 'progress-too-large'])
  const shown: string[] = []
  for (let after = ''; ; ) {
    const { data, next } = (await call(server.url, tea, 'GET', `/courses/large/progress?limit=200${after}`)).body
    for (const { user_id, videos } of data) shown.push(`${user_id} ${videos.length}`)
    if (!next) break
    after = `&after=${next}`
  }
  const everybody = Array.from({ length: STUDENTS }, (_, n) => `s${n} ${VIDEOS}`)
  expect(shown).toEqual(everybody.sort())
})
