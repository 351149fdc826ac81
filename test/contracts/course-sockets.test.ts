import { io } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Campus, campus, progress, TEA } from '../support/campus.ts'
import { type Client, connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

const place = { id: expect.any(String), seq: expect.any(Number), pos: expect.stringMatching(/^\d+$/) }

describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
  let it: Campus
  beforeEach(async () => {
    it = await campus(server, { transport })
  })
  afterEach(() => it.close())

  const joined = async (client: Client): Promise<Client> => {
    expect(await client.ask('join_course', { course_id: it.course })).toEqual([true, null])
    return client
  }
  const beside = async (client: Client, video = it.video): Promise<Client> => {
    expect(await client.ask('join_video', { video_id: video })).toEqual([true, null])
    return client
  }
  /** Resolves when these have been told everything of the course that was acknowledged so far. */
  let titles = 0
  const fence = async (...clients: readonly Client[]): Promise<void> => {
    const title = `Fractions ${++titles}`
    await it.ask(TEA, 'PATCH', '', { title })
    await Promise.all(clients.map((one) => one.told('course_updated', (data) => data.title === title)))
  }

  test('[COURSE-20] everybody with a token is told that they are connected', async () => {
    for (const role of ['student', 'teacher', 'agent', 'visitor', 'admin']) {
      const token = await tokenFor(role, 'somebody', it.org)
      const socket = io(server.url, { auth: { token }, transports: [transport], forceNew: true })
      onTestFinished(() => void socket.close())
      expect(await new Promise((told) => socket.on('connected', told))).toEqual({ status: 'Connected successfully' })
    }
  })

  test('[COURSE-20] the token may come in the query, as `token` or `auth`, or in a header', async () => {
    const token = await tokenFor('student', 'stu', it.org)
    for (const options of [
      { query: { token } },
      { query: { auth: token } },
      { extraHeaders: { authorization: token } },
    ]) {
      const client = await connect(server.url, { transports: [transport], ...options })
      expect(await client.ask('join_course', { course_id: it.course })).toEqual([true, null])
      client.close()
    }
    await expect(connect(server.url, { transports: [transport], query: { token: 'x.y.z' } })).rejects.toThrow()
  })

  test('[COURSE-21] students and teachers join the course, and hear of it; teachers hear of its students', async () => {
    const [stu, tea] = [await joined(await it.come('student', 'stu')), await joined(await it.come('teacher', 'tea'))]
    for (const one of [stu, tea])
      expect(await one.told('joined_course')).toEqual({ ...place, course_id: it.course, status: 'Joined successfully' })
    await it.enrol('new')
    for (const one of [stu, tea])
      expect(await one.told('new_enrollment')).toEqual({
        ...place,
        course_id: it.course,
        user_id: 'new',
        user_email: 'new', // nobody knows their e-mail yet
        message: 'new enrolled in the course',
      })
    await fence(stu, tea)
    expect(tea.all('new_enrollment')).toHaveLength(1) // once, though it is in both rooms
    expect(await stu.ask('video_progress', progress(it, 0))).toEqual([true, null])
    await tea.told('student_progress')
    await fence(stu, tea)
    expect(stu.all('student_progress')).toEqual([])
  })

  test('[COURSE-21] somebody whose e-mail is known is named by it', async () => {
    const tea = await joined(await it.come('teacher', 'tea'))
    await it.come('student', 'eve')
    await it.enrol('eve')
    const told = await tea.told('new_enrollment', ({ user_id }) => user_id === 'eve')
    expect(told.message).toBe('eve@acme.example enrolled in the course')
  })

  test('[COURSE-22] who may not is told so by `error`, besides the ack: forbidden, or not found', async () => {
    const foreign = await campus(server, { transport })
    onTestFinished(() => foreign.close())
    const refused = async (client: Client, event: string, data: object, words: RegExp): Promise<void> => {
      const count = client.all('error').length
      const [ok, message] = await client.ask(event, data)
      expect(ok).toBe(false)
      expect(message).toMatch(words)
      expect(client.all('error').slice(count)).toEqual([{ message, code: expect.any(String), event }])
    }
    const out = [
      await it.come('student', 'stranger'),
      await it.come('teacher', 'other'),
      await it.come('agent', 'ann'),
      await it.come('visitor', 'vera'),
      await it.come('agent', 'stu'), // the role counts, too
    ]
    const said = { message: 'hi', timestamp: 'now' }
    for (const one of out) {
      await refused(one, 'join_course', { course_id: it.course }, /forbidden/)
      await refused(one, 'join_video', { video_id: it.video }, /forbidden/)
      await refused(one, 'video_progress', progress(it, 1), /forbidden/)
      await refused(one, 'send_chat_message', { video_id: it.video, ...said }, /forbidden/)
    }
    const stu = await it.come('student', 'stu')
    for (const id of [foreign.course, 'nothing', '__proto__']) {
      await refused(stu, 'join_course', { course_id: id }, /not found/)
      await refused(stu, 'video_progress', { ...progress(it, 1), course_id: id }, /not found/)
    }
    for (const id of [foreign.video, 'nothing', '__proto__']) {
      await refused(stu, 'join_video', { video_id: id }, /not found/)
      await refused(stu, 'leave_video', { video_id: id }, /not found/)
      await refused(stu, 'video_progress', { ...progress(it, 1), video_id: id }, /not found/)
      await refused(stu, 'send_chat_message', { video_id: id, ...said }, /not found/)
    }
  })

  test('[COURSE-22] whatever is missing or wrong is named', async () => {
    const stu = await it.come('student', 'stu')
    const whole: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      join_course: { course_id: it.course },
      leave_course: { course_id: it.course },
      join_video: { video_id: it.video },
      leave_video: { video_id: it.video },
      video_progress: progress(it, 1),
      send_chat_message: { video_id: it.video, message: 'x', timestamp: 't' },
    }
    for (const [event, data] of Object.entries(whole)) {
      for (const name of Object.keys(data)) {
        const { [name]: _, ...rest } = data
        for (const wrong of [rest, { ...rest, [name]: null }, { ...rest, [name]: {} }, { ...rest, [name]: '' }]) {
          const [ok, message] = await stu.ask(event, wrong)
          if (name === 'timestamp' && event === 'send_chat_message' && 'timestamp' in wrong && wrong.timestamp === '')
            continue // a text, as sent
          expect([event, name, wrong, ok]).toEqual([event, name, wrong, false])
          expect(message).toContain(name)
        }
      }
      for (const nothing of [undefined, null, 'x', 7, []]) {
        const [ok, message] = await stu.ask(event, nothing)
        expect(ok).toBe(false)
        for (const name of Object.keys(data)) expect(message).toContain(name)
      }
    }
    for (const wrong of [-1, 100.1, Number.MAX_VALUE])
      expect((await stu.ask('video_progress', { ...progress(it, 1), progress: wrong }))[1]).toContain('progress')
    for (const wrong of [-1, 600.5, 1e9])
      expect((await stu.ask('video_progress', progress(it, wrong)))[1]).toContain('timestamp')
    const long = { video_id: it.video, message: 'x'.repeat(4_097), timestamp: 't' }
    expect((await stu.ask('send_chat_message', long))[1]).toContain('message')
  })

  test('[COURSE-23] who leaves a course hears no more of it, on that socket alone', async () => {
    const [one, other] = [await joined(await it.come('teacher', 'tea')), await joined(await it.come('teacher', 'tea'))]
    expect(await one.ask('leave_course', { course_id: it.course })).toEqual([true, null])
    const stu = await it.come('student', 'stu')
    await stu.ask('video_progress', progress(it, 0))
    await other.told('progress_update')
    await fence(other)
    expect(one.heard.map(({ name }) => name)).toEqual(['joined_course'])
    await joined(one)
    await fence(one)
  })

  test('[COURSE-24] a title, a review and a quiz that was handed in are told', async () => {
    const [stu, tea] = [await joined(await it.come('student', 'stu')), await joined(await it.come('teacher', 'tea'))]
    await it.ask(TEA, 'PATCH', '', { title: 'Decimals' })
    await it.ask(['student', 'sue'], 'POST', '/reviews', { rating: 4, comment: 'Good' })
    for (const one of [stu, tea]) {
      expect(await one.told('course_updated')).toEqual({ ...place, course_id: it.course, title: 'Decimals' })
      expect(await one.told('new_review')).toEqual({
        ...{
          ...place,
          course_id: it.course,
          user_id: 'sue',
          user_email: 'sue@acme.example',
          rating: 4,
          comment: 'Good',
        },
      })
    }
    const questions = [{ text: 'Half of 2?', choices: ['1', '2'], answer: 0 }]
    const quiz = (await it.ask(TEA, 'POST', '/quizzes', { title: 'Q', pass_score: 50, questions })).body.data.id
    await it.ask(['student', 'stu'], 'POST', `/quizzes/${quiz}/submissions`, { answers: [0] })
    expect(await tea.told('quiz_submission')).toEqual({
      ...{ ...place, course_id: it.course, user_id: 'stu', quiz_id: quiz, score: 100, passed: true },
    })
    await fence(stu, tea)
    expect(stu.all('quiz_submission')).toEqual([])
  })

  test('[COURSE-25] who is taken out of a course hears no more of it, nor of its videos', async () => {
    const [stu, sue] = [await joined(await it.come('student', 'stu')), await joined(await it.come('student', 'sue'))]
    await beside(stu)
    await beside(sue)
    await stu.told('user_joined_video', ({ user_id }) => user_id === 'sue')
    await it.ask(TEA, 'DELETE', '/enrollments/stu')
    const goodbye = (event: string) => stu.told('error', (error) => error.event === event)
    expect((await goodbye('join_course')).message).toMatch(/forbidden/)
    expect((await goodbye('join_video')).message).toMatch(/forbidden/)
    const heard = stu.heard.length
    await sue.ask('send_chat_message', { video_id: it.video, message: 'gone?', timestamp: 't' })
    await sue.told('new_chat_message')
    await fence(sue)
    expect((await stu.ask('join_course', { course_id: it.course }))[0]).toBe(false)
    expect(stu.heard.slice(heard).map(({ name }) => name)).toEqual(['error'])
  })

  test('[COURSE-26] others beside a video are told who comes: each person once, however many tabs', async () => {
    const stu = await beside(await it.come('student', 'stu'))
    expect(await stu.told('joined_video')).toEqual({
      ...{ ...place, video_id: it.video, course_id: it.course, status: 'Joined successfully' },
    })
    const sue = await beside(await it.come('student', 'sue'))
    expect(await stu.told('user_joined_video')).toEqual({
      ...{ ...place, video_id: it.video, user_id: 'sue', user_email: 'sue@acme.example' },
    })
    const tab = await beside(await it.come('student', 'sue'))
    await beside(sue) // again
    const tea = await beside(await it.come('teacher', 'tea'))
    await stu.told('user_joined_video', ({ user_id }) => user_id === 'tea')
    await tab.told('user_joined_video', ({ user_id }) => user_id === 'tea')
    expect(stu.all('user_joined_video').map(({ user_id }) => user_id)).toEqual(['sue', 'tea'])
    expect(sue.all('user_joined_video').map(({ user_id }) => user_id)).toEqual(['tea'])
    expect(tea.all('user_joined_video')).toEqual([])
    // Who has left, with all tabs, comes anew.
    for (const one of [tab, sue]) expect(await one.ask('leave_video', { video_id: it.video })).toEqual([true, null])
    await beside(tab)
    await tea.told('user_joined_video', ({ user_id }) => user_id === 'sue')
    expect(stu.all('user_joined_video').map(({ user_id }) => user_id)).toEqual(['sue', 'tea', 'sue'])
    await tea.ask('send_chat_message', { video_id: it.video, message: 'hello', timestamp: 't' })
    await tab.told('new_chat_message')
    expect(sue.all('new_chat_message')).toEqual([]) // it has left, and only the other tab is back
  })

  test('[COURSE-28] what is said beside a video is told to all there, kept, and may be removed', async () => {
    const [stu, sue] = [await beside(await it.come('student', 'stu')), await beside(await it.come('student', 'sue'))]
    const elsewhere = await beside(await it.come('teacher', 'tea'), await it.addVideo())
    const timestamp = '2024-01-20T10:30:00Z'
    for (const message of ['one', 'two', '<b>😀</b>'])
      expect(await stu.ask('send_chat_message', { video_id: it.video, message, timestamp })).toEqual([true, null])
    for (const one of [stu, sue]) {
      await one.told('new_chat_message', ({ message }) => message === '<b>😀</b>')
      expect(one.all('new_chat_message')[0]).toEqual({
        ...{ ...place, video_id: it.video, user_id: 'stu', user_email: 'stu@acme.example', message: 'one', timestamp },
        at: expect.stringMatching(/^\d{4}-.*Z$/),
      })
    }
    const seq = stu.all('new_chat_message')[1].seq
    const path = `/videos/${it.video}/messages`
    expect((await it.ask(['student', 'sue'], 'DELETE', `${path}/${seq}`)).status).toBe(403)
    expect((await it.ask(TEA, 'DELETE', `${path}/0`)).status).toBe(404)
    expect((await it.ask(TEA, 'DELETE', `${path}/${seq}`)).body.data).toMatchObject({
      seq,
      removed: true,
      message: null,
    })
    expect(await sue.told('chat_message_removed')).toEqual({ ...place, video_id: it.video, removed_seq: seq })
    const pages: unknown[] = []
    for (let next: string | undefined; ; ) {
      const { body } = await it.ask(['student', 'sue'], 'GET', `${path}?limit=1${next ? `&after=${next}` : ''}`)
      pages.push(...body.data.map(({ message, removed }: Record<string, unknown>) => [message, removed]))
      next = body.next
      if (!next) break
    }
    expect(pages).toEqual([
      ['one', false],
      [null, true],
      ['<b>😀</b>', false],
    ])
    expect((await it.ask(['student', 'stranger'], 'GET', path)).status).toBe(403)
    expect(elsewhere.all('new_chat_message')).toEqual([])
  })

  test('[COURSE-28] the same call twice says it once', async () => {
    const stu = await beside(await it.come('student', 'stu'))
    const said = { video_id: it.video, message: 'once', timestamp: 't', client_id: 'c1' }
    expect(await Promise.all([stu.ask('send_chat_message', said), stu.ask('send_chat_message', said)])).toEqual([
      [true, null],
      [true, null],
    ])
    expect((await stu.ask('send_chat_message', { ...said, message: 'other' }))[0]).toBe(false)
    await stu.ask('send_chat_message', { ...said, message: 'last', client_id: 'c2' })
    await stu.told('new_chat_message', ({ message }) => message === 'last')
    expect(stu.all('new_chat_message').map(({ message }) => message)).toEqual(['once', 'last'])
  })
})
