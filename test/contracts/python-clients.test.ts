import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { school } from '../support/attendance.ts'
import { campus } from '../support/campus.ts'
import { type PythonClient, type PythonOptions, pythonClient } from '../support/python-client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

/** Where a client may put its token. */
const PLACES = {
  auth: (token: string) => ({ auth: { token } }),
  header: (token: string) => ({ headers: { Authorization: `Bearer ${token}` } }),
} as const
const ways = (['websocket', 'polling'] as const).flatMap((transport) =>
  (Object.keys(PLACES) as (keyof typeof PLACES)[]).map((place) => ({ transport, place })),
)

describe.each(ways)('Python over $transport, with the token in $place', ({ transport, place }) => {
  const python = async (org: string, role: string, id: string): Promise<PythonClient> => {
    const token = await tokenFor(role, id, org, { email: `${id}@acme.example` })
    const options: PythonOptions = { transport, ...PLACES[place](token) }
    const client = await pythonClient(server.url, options)
    onTestFinished(client.close)
    return client
  }

  test('[COURSE-40] contract 003: a student watches, an instructor looks on', async () => {
    const it = await campus(server)
    onTestFinished(it.close)
    const [stu, tea] = await Promise.all([python(it.org, 'student', 'stu'), python(it.org, 'teacher', 'tea')])
    expect(await stu.told('connected')).toEqual({ status: 'Connected successfully' })
    for (const one of [stu, tea]) {
      expect(await one.ask('join_course', { course_id: it.course })).toEqual([true, null])
      expect(await one.told('joined_course')).toMatchObject({ course_id: it.course, status: 'Joined successfully' })
    }
    await it.enrol('new')
    expect(await stu.told('new_enrollment')).toMatchObject({ user_id: 'new', message: 'new enrolled in the course' })
    expect(await tea.ask('join_video', { video_id: it.video })).toEqual([true, null])
    expect(await stu.ask('join_video', { video_id: it.video })).toEqual([true, null])
    expect(await tea.told('user_joined_video')).toMatchObject({ user_id: 'stu', user_email: 'stu@acme.example' })
    const progress = { video_id: it.video, course_id: it.course, progress: 75, timestamp: 450 }
    expect(await stu.ask('video_progress', progress)).toEqual([true, null])
    expect(await tea.told('student_progress')).toMatchObject({ user_id: 'stu', progress: 75, timestamp: 450 })
    expect(await tea.told('progress_update')).toMatchObject({ user_id: 'stu', watched_seconds: 0 })
    const said = { video_id: it.video, message: 'Question', timestamp: '2024-01-20T10:30:00Z' }
    expect(await stu.ask('send_chat_message', said)).toEqual([true, null])
    expect(await tea.told('new_chat_message')).toMatchObject({ user_id: 'stu', ...said })
    const [ok, why] = await stu.ask('join_course', {})
    expect([ok, why]).toEqual([false, expect.stringContaining('course_id')])
    expect(await stu.told('error')).toEqual({ message: why, code: 'bad-request', event: 'join_course' })
  })

  test('[COURSE-40] contract 001: a visitor and an agent', async () => {
    const { org } = await campus(server, { students: [] })
    const [ann, vera] = await Promise.all([python(org, 'agent', 'ann'), python(org, 'visitor', 'vera')])
    await ann.told('staff_init')
    expect((await vera.ask('visitor_first_msg', { text: 'hello' }))[0]).toBe(true)
    const { room } = await ann.told('append_unclaimed_chats')
    expect(await ann.ask('staff_join', { room: room.id })).toEqual([true, null])
    await vera.told('staff_join_room')
    expect((await ann.ask('staff_msg', { room: room.id, content: { text: 'hi' } }))[0]).toBe(true)
    expect((await vera.told('staff_send')).content).toEqual({ text: 'hi' })
    expect((await vera.ask('visitor_msg', { text: 'thanks' }))[0]).toBe(true)
    expect((await ann.told('visitor_send')).content).toEqual({ text: 'thanks' })
    expect((await ann.ask('staff_leave_room', { room: room.id }))[0]).toBe(true)
    await vera.told('staff_leave')
  })

  test('[COURSE-40] contract 004: a student watches the sessions of a course', async () => {
    const it = await school(server)
    onTestFinished(it.close)
    await it.enrol('stu')
    const stu = await python(it.org, 'student', 'stu')
    expect(await stu.ask('subscribeToCourse', { course_id: it.course })).toEqual([true, null])
    expect((await stu.told('activeSessionsData')).activeSessions).toEqual([])
    const { id } = await it.start({ check_in_mode: 'manual' })
    expect(await stu.told('courseSessionStarted')).toMatchObject({ session_id: id, course_id: it.course })
    await it.end(id)
    expect((await stu.told('courseSessionEnded')).final_statistics).toEqual({ total: 1, present: 0, absent: 1 })
  })
})

test('[COURSE-40] the JavaScript client of document 003', async () => {
  const it = await campus(server)
  onTestFinished(it.close)
  const tea = await it.come('teacher', 'tea')
  await tea.ask('join_course', { course_id: it.course })
  const told: string[] = []
  const socket = io(server.url, { auth: { token: await tokenFor('student', 'stu', it.org) }, forceNew: true })
  onTestFinished(() => void socket.close())
  socket.on('connect', () => socket.emit('join_course', { course_id: it.course }))
  socket.on('new_enrollment', (data) => told.push(data.user_email))
  await new Promise((joined) => socket.once('joined_course', joined))
  await it.enrol('new')
  socket.emit('video_progress', { video_id: it.video, course_id: it.course, progress: 50, timestamp: 300 })
  expect(await tea.told('student_progress')).toMatchObject({ user_id: 'stu', progress: 50, timestamp: 300 })
  await expect.poll(() => told).toEqual(['new'])
})
