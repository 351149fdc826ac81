import { createRequire } from 'node:module'
import { Ajv, type ValidateFunction } from 'ajv'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { connect } from '../support/client.ts'
import { call, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { studio } from '../support/studio.ts'
import { type Company, company } from './company.ts'

interface Message {
  readonly name: string
  readonly payload: object
  readonly examples: readonly { readonly payload: unknown }[]
}
interface Page {
  readonly components: { readonly messages: Readonly<Record<string, Message>>; readonly schemas: object }
  readonly operations: Readonly<Record<string, { readonly action: 'send' | 'receive' }>>
}

let server: TestServer
let page: Page
let acme: Company
let fits: (name: string) => ValidateFunction
beforeAll(async () => {
  server = await startServer()
  acme = company(server)
  page = (await (await fetch(`${server.url}/api/v1/asyncapi.json`)).json()) as Page // open to everybody
  const ajv = new Ajv({ strict: false, allErrors: true })
  ajv.addSchema({ $id: 'page', components: page.components })
  fits = (name) => {
    const known = ajv.getSchema(`page#/components/messages/${name}/payload`)
    if (!known) throw new Error(`the page does not know ${name}`)
    return known
  }
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

test('[ASYNC-1] /api/v1/asyncapi.json is an AsyncAPI 3.1 document', () => {
  const specs = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.1.0-without-$id.json') as object
  const isAsyncApi = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(specs)
  expect(isAsyncApi(page), JSON.stringify(isAsyncApi.errors?.slice(0, 3))).toBe(true)
})

test('[ASYNC-2] every event and every call has an example that fits its own shape', () => {
  expect(Object.keys(page.components.messages).length).toBeGreaterThan(60)
  for (const [name, { examples }] of Object.entries(page.components.messages)) {
    if (name === 'ack') continue
    for (const { payload } of examples) {
      const valid = fits(name)
      expect(valid(payload), `${name}: ${JSON.stringify(valid.errors)} in ${JSON.stringify(payload)}`).toBe(true)
    }
  }
})

/** Everything that can be told of a course and its videos. */
async function courseOf(course_id: string, teacher: Client, stu: Client): Promise<void> {
  const ask = async (role: string, id: string, method: string, path: string, body: object) =>
    (await call(server.url, await tokenFor(role, id, acme.org), method, `/courses/${course_id}${path}`, body)).body.data
  const tea = ['teacher', 'tea'] as const
  await teacher.ask('join_course', { course_id })
  await ask(...tea, 'POST', '/enrollments', { student_id: 'stu' })
  await ask(...tea, 'PATCH', '', { title: 'D' })
  const { id: video_id } = await ask(...tea, 'POST', '/videos', { title: 'V' })
  const questions = [{ text: '?', choices: ['1', '2'], answer: 0 }]
  const { id: quiz } = await ask(...tea, 'POST', '/quizzes', { title: 'Q', pass_score: 50, questions })
  await teacher.ask('join_video', { video_id })
  await stu.ask('join_video', { video_id })
  await stu.ask('join_video', { video_id: 'nothing' })
  await stu.ask('video_progress', { video_id, course_id, progress: 1, timestamp: 1 })
  await stu.ask('send_chat_message', { video_id, message: 'hi', timestamp: 't' })
  const { seq } = await teacher.told('new_chat_message')
  await ask(...tea, 'DELETE', `/videos/${video_id}/messages/${seq}`, {})
  await ask('student', 'stu', 'POST', '/reviews', { rating: 5, comment: '' })
  await ask('student', 'stu', 'POST', `/quizzes/${quiz}/submissions`, { answers: [0] })
  for (const name of ['quiz_submission', 'new_review', 'chat_message_removed', 'progress_update', 'user_joined_video'])
    await teacher.told(name)
}

/** What sockets and streams are told of a project. */
async function heardInProjects() {
  const it = studio(server)
  onTestFinished(() => it.close())
  const project = await it.project('P', 'owen', 'eve')
  const [owen, page] = [await it.socket('owen'), await it.stream('eve')]
  await owen.ask('join_project', { project_id: project })
  await owen.ask('join_project', { project_id: 999 })
  await owen.ask('send_message', { project_id: project, file_name: 'a.txt', file_base64: 'aGk=' })
  await owen.told('receive_message')
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'Q' })
  await page.message(/Q/)
  const heard = [...owen.heard, ...page.told.map((data) => ({ name: 'action_project', data }))]
  expect([...new Set(heard.map(({ name }) => name))].sort()).toEqual([
    ...['action_project', 'error', 'joined_project', 'receive_message'],
  ])
  return heard
}

test('[ASYNC-3] what real clients hear is described, and is of the shape that is described', async () => {
  const clients: Client[] = []
  const join = async (role: string, id: string, options = {}): Promise<Client> => {
    const client = await acme.join(role, id, { query: { resume: '1' }, ...options })
    clients.push(client)
    return client
  }
  const ann = await join('agent', 'ann')
  const bob = await join('agent', 'bob')
  const sue = await join('supervisor', 'sue')
  await join('admin', 'ada')
  ;(await join('agent', 'dan')).close()
  await ann.told('staff_goes_offline')
  for (const end of ['visitor', 'staff', 'queue']) {
    const { visitor, room } = await acme.chat(`v-${end}`, ann)
    clients.push(visitor)
    await visitor.ask('visitor_msg_unclaimed', { n: 1 })
    if (end !== 'queue') {
      await ann.ask('staff_join', { room })
      await ann.ask('staff_msg', { room, content: { n: 2 } })
      await visitor.ask('visitor_msg', { n: 3 })
      await ann.ask('change_chat_priority', { room, severity_level: 5 })
      await ann.ask('transfer_chat', { room, staff_id: 'bob' })
      await bob.ask('return_chat', { room })
      await sue.ask('assign_chat', { room, staff_id: 'ann' })
      await sue.ask('take_over_chat', { room })
    }
    if (end === 'staff') await sue.ask('staff_leave_room', { room })
    else await visitor.ask('visitor_leave_room')
    if (end === 'staff') {
      await sue.ask('replay_chat', { room, speed: 1000 })
      await sue.told('replay_ended')
    }
  }
  const unknown = await join('agent', 'cat', { auth: { token: await tokenFor('agent', 'cat', acme.org), after: 'x' } })
  await unknown.told('cursor_unknown')
  const tea = await tokenFor('teacher', 'tea', acme.org)
  const hub = await join('teacher', 'hub', { query: { product_type: 'manager' } })
  const teacher = await join('teacher', 'tea')
  await hub.told('teacher_login')
  const lesson = await lessonOf(server.url, tea, false)
  await teacher.ask('join_lesson', { lesson_id: lesson.id })
  await call(server.url, tea, 'PATCH', `/lessons/${lesson.id}`, { title: 'Geometry' })
  await call(server.url, tea, 'POST', `/lessons/${lesson.id}/start`)
  const guest = await connect(server.url, { query: { role: 'student' } })
  onTestFinished(() => guest.close())
  clients.push(guest)
  await guest.ask('join_lesson', { code: lesson.code, name: 'Gus' })
  await teacher.told('participant_joined', ({ participants }) => participants[0].name === 'Gus')
  await guest.ask('leave_lesson')
  await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
  await teacher.told('lesson_ended')
  const { data: course } = (await call(server.url, tea, 'POST', '/courses', { title: 'C' })).body
  await teacher.ask('subscribeToCourse', { course_id: course.id })
  const session = await call(server.url, tea, 'POST', `/courses/${course.id}/attendance-sessions`, {})
  await call(server.url, tea, 'POST', `/courses/${course.id}/attendance-sessions/${session.body.data.id}/end`)
  await teacher.told('courseSessionEnded')
  await teacher.ask('checkActiveSessions', { course_id: course.id })
  await teacher.ask('subscribeToCourse', { course_id: 'nowhere' })
  await courseOf(course.id, teacher, await join('student', 'stu'))
  await acme.fence(ann, bob, sue)

  const heard = new Set<string>()
  for (const { name, data } of clients.flatMap((client) => client.heard)) {
    heard.add(name)
    const valid = fits(name)
    expect(valid(data), `${name}: ${JSON.stringify(valid.errors)} in ${JSON.stringify(data)}`).toBe(true)
  }
  const told = Object.entries(page.operations).flatMap(([name, { action }]) =>
    action === 'send' && !name.includes('.') ? [name] : [],
  )
  for (const { name, data } of await heardInProjects()) expect(fits(`projects.${name}`)(data), name).toBe(true)
  // These need a lost connection, or something that goes wrong.
  expect(told.filter((name) => !heard.has(name)).sort()).toEqual(['connected', 'participant_reconnected'])
})
