import { expect, onTestFinished, test } from 'vitest'
import { type Campus, campus, progress, TEA } from '../support/campus.ts'
import { type Client, connect } from '../support/client.ts'
import { freshData } from '../support/data.ts'
import { type Line, openLine } from '../support/line.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

interface Traveller extends Client {
  readonly recovered: boolean[]
}

/** An official client with `resume=1`, behind a line. */
async function traveller(it: Campus, line: Line, role: string, id: string): Promise<Traveller> {
  const token = await tokenFor(role, id, it.org, { email: `${id}@acme.example` })
  const client = await connect(line.url, {
    ...{ auth: { token }, query: { resume: '1' } },
    ...{ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 1_000 },
  })
  onTestFinished(() => client.close())
  const recovered: boolean[] = []
  client.socket.on('connect', () => recovered.push(client.socket.recovered))
  return { ...client, heard: client.heard, recovered }
}

async function arranged(data?: string) {
  const server = await startServer(data === undefined ? {} : { data })
  const line = await openLine(server.url)
  onTestFinished(async () => {
    await line.close()
    await server.stop()
  })
  const it = await campus(server)
  onTestFinished(() => it.close())
  return { server, line, it }
}

async function away({ socket }: Traveller, line: Line, meanwhile: () => Promise<unknown>): Promise<void> {
  const gone = new Promise((left) => socket.once('disconnect', left))
  const back = new Promise((came) => socket.once('connect', () => came(null)))
  line.down()
  await gone
  await meanwhile()
  line.mend()
  await back
}

const inBoth = async (it: Campus, client: Client): Promise<void> => {
  expect(await client.ask('join_course', { course_id: it.course })).toEqual([true, null])
  expect(await client.ask('join_video', { video_id: it.video })).toEqual([true, null])
}
const say = (it: Campus, client: Client, message: string) =>
  client.ask('send_chat_message', { video_id: it.video, message, timestamp: 't' })
const remarks = (client: Client): string[] => client.all('new_chat_message').map(({ message }) => message)

/** Once each of everything that is told of a course and a video. */
async function aLesson(it: Campus, tea: Client): Promise<void> {
  await say(it, tea, 'first')
  await it.ask(TEA, 'PATCH', '', { title: 'Halves and thirds' })
  await it.enrol('new')
  await it.ask(['student', 'sue'], 'POST', '/reviews', { rating: 4, comment: 'Good' })
  const questions = [{ text: '1+1?', choices: ['1', '2'], answer: 1 }]
  const quiz = (await it.ask(TEA, 'POST', '/quizzes', { title: 'Q', pass_score: 50, questions })).body.data.id
  await it.ask(['student', 'sue'], 'POST', `/quizzes/${quiz}/submissions`, { answers: [1] })
  await say(it, tea, 'second')
}
const TOLD = ['new_chat_message', 'course_updated', 'new_enrollment', 'new_review', 'quiz_submission']
const told = ({ heard }: Client) => heard.filter(({ name }) => TOLD.includes(name))

test('[RESUME-8] whoever recovers has missed nothing of their courses and videos, and hears on', async () => {
  const { line, it } = await arranged()
  const [tea, stu] = [await it.come(...TEA), await it.come('student', 'stu')]
  const [cut, teacher] = [await traveller(it, line, 'student', 'stu'), await traveller(it, line, ...TEA)]
  for (const client of [tea, stu, cut, teacher]) await inBoth(it, client)
  await say(it, tea, 'zeroth')
  for (const client of [cut, teacher]) await client.told('new_chat_message')
  const back = new Promise((came) => teacher.socket.once('connect', () => came(null)))
  await away(cut, line, () => aLesson(it, tea))
  await back
  await say(it, tea, 'third')
  for (const client of [tea, stu, cut, teacher])
    await client.told('new_chat_message', ({ message }) => message === 'third')
  expect(cut.recovered).toEqual([true])
  expect(told(cut)).toEqual(told(stu))
  expect(told(teacher)).toEqual(told(tea))
  expect(told(teacher).map(({ name }) => name)).toContain('quiz_submission')
  for (const name of ['joined_course', 'joined_video']) expect(cut.all(name)).toHaveLength(1)
  // And they do what they did: an instructor hears of progress.
  await stu.ask('video_progress', progress(it, 7))
  expect(await teacher.told('student_progress')).toMatchObject({ user_id: 'stu', timestamp: 7 })
})

test('[RESUME-8] also when the server was killed meanwhile, again and again', async () => {
  const data = await freshData()
  const { server, line, it } = await arranged(data)
  const cut = await traveller(it, line, 'student', 'stu')
  await inBoth(it, cut)
  const said: string[] = []
  let node: TestServer = server
  for (let round = 0; round < 3; round++) {
    await away(cut, line, async () => {
      node.kill('SIGKILL')
      await node.ended
      node = await startServer({ data })
      onTestFinished(async () => void (await node.stop()))
      line.leadTo(node.url)
      const token = await tokenFor(...TEA, it.org)
      const tea = await connect(node.url, { auth: { token } })
      said.push(`round ${round}`)
      expect(await say(it, tea, `round ${round}`)).toEqual([true, null])
      tea.close()
    })
    await cut.told('new_chat_message', ({ message }) => message === `round ${round}`)
  }
  expect(remarks(cut)).toEqual(said)
  expect(cut.recovered).toEqual([true, true, true])
})

test('[RESUME-8] what was left stays left; who may not look on any more is told so', async () => {
  const { line, it } = await arranged()
  const tea = await it.come(...TEA)
  await inBoth(it, tea)
  const cut = await traveller(it, line, 'student', 'stu')
  await inBoth(it, cut)
  await cut.ask('leave_video', { video_id: it.video })
  await away(cut, line, async () => {
    await say(it, tea, 'unheard')
    await it.ask(TEA, 'PATCH', '', { title: 'Thirds' })
  })
  expect(await cut.told('course_updated')).toMatchObject({ title: 'Thirds' })
  expect(remarks(cut)).toEqual([])
  await away(cut, line, async () => {
    await it.ask(TEA, 'PATCH', '', { title: 'Fourths' })
    await it.ask(TEA, 'DELETE', '/enrollments/stu')
    await it.ask(TEA, 'PATCH', '', { title: 'Fifths' })
  })
  expect((await cut.told('error')).message).toMatch(/forbidden/)
  expect(cut.all('course_updated').map(({ title }) => title)).toEqual(['Thirds', 'Fourths'])
})

test('[RESUME-8] sessions are told as they stand, when that has changed', async () => {
  const { line, it } = await arranged()
  const cut = await traveller(it, line, 'student', 'stu')
  await cut.ask('subscribeToCourse', { course_id: it.course })
  await cut.told('activeSessionsData')
  await away(cut, line, async () => {})
  await away(cut, line, () => it.ask(TEA, 'POST', '/attendance-sessions', {}))
  const { activeSessions } = await cut.told('activeSessionsData', (data) => data.activeSessions.length === 1)
  expect(activeSessions).toHaveLength(1)
  expect(cut.all('activeSessionsData')).toHaveLength(2)
  expect(cut.recovered).toEqual([true, true])
})

test('[RESUME-8] [COURSE-28] what a teacher has removed meanwhile is shown to nobody who comes back', async () => {
  const { line, it } = await arranged()
  const tea = await it.come(...TEA)
  await inBoth(it, tea)
  const cut = await traveller(it, line, 'student', 'stu')
  await inBoth(it, cut)
  await away(cut, line, async () => {
    await say(it, tea, 'a word that is not said')
    const { seq } = await tea.told('new_chat_message')
    await it.ask(TEA, 'DELETE', `/videos/${it.video}/messages/${seq}`)
    await say(it, tea, 'after')
  })
  await cut.told('new_chat_message', ({ message }) => message === 'after')
  expect(remarks(cut)).toEqual(['after'])
  expect(cut.all('chat_message_removed')).toHaveLength(1)
})

test('[RESUME-8] [COURSE-26] whoever recovers is beside the video as before: told of once in a presence', async () => {
  const { line, it } = await arranged()
  const tea = await it.come(...TEA)
  await inBoth(it, tea)
  const cut = await traveller(it, line, 'student', 'stu')
  await inBoth(it, cut)
  const came = () => tea.all('user_joined_video').length
  await expect.poll(came).toBe(1)
  await away(cut, line, async () => {})
  // Another tab comes and goes: they have not left.
  const tab = await it.come('student', 'stu')
  for (const name of ['join_video', 'leave_video', 'join_video', 'leave_video'])
    await tab.ask(name, { video_id: it.video })
  await say(it, cut, 'still here')
  await tea.told('new_chat_message', ({ message }) => message === 'still here')
  expect(came()).toBe(1)
  await cut.ask('leave_video', { video_id: it.video })
  await cut.ask('join_video', { video_id: it.video })
  await expect.poll(came).toBe(2)
})

test('[RESUME-8] who is taken out is told once, and does not come in again by a line that is cut', async () => {
  const { line, it } = await arranged()
  const tea = await it.come(...TEA)
  await inBoth(it, tea)
  const cut = await traveller(it, line, 'student', 'stu')
  await inBoth(it, cut)
  await it.ask(TEA, 'DELETE', '/enrollments/stu')
  await expect.poll(() => cut.all('error').length).toBe(2) // of the course, and of the video
  await it.enrol('stu')
  await away(cut, line, () => say(it, tea, 'unheard'))
  await say(it, tea, 'unheard, too')
  expect(await cut.ask('join_course', { course_id: it.course })).toEqual([true, null])
  await it.ask(TEA, 'PATCH', '', { title: 'Heard' })
  await cut.told('course_updated')
  expect(remarks(cut)).toEqual([])
  // Taken out and let in again while away.
  await away(cut, line, async () => {
    await it.ask(TEA, 'DELETE', '/enrollments/stu')
    await it.ask(TEA, 'PATCH', '', { title: 'Not for them' })
    await it.enrol('stu')
  })
  await expect.poll(() => cut.all('error').length).toBe(3)
  await away(cut, line, () => it.ask(TEA, 'PATCH', '', { title: 'Nor this' }))
  expect(await cut.ask('join_course', { course_id: it.course })).toEqual([true, null])
  expect(cut.all('error')).toHaveLength(3)
  expect(cut.all('course_updated')).toHaveLength(1)
})
