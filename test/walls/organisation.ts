import { setTimeout as pause } from 'node:timers/promises'
import { type Client, connect } from '../support/client.ts'
import { call } from '../support/lessons.ts'
import { type TestServer, tokenFor } from '../support/server.ts'
import type { Kind } from './kinds.ts'

export const ROLES = ['visitor', 'agent', 'supervisor', 'admin', 'teacher', 'student'] as const
export type Role = (typeof ROLES)[number]

/** An organisation with one of everything, in several states. */
export interface Organisation {
  readonly org: string
  /** Stands in every text of it: titles, names, addresses, contents, names of files. */
  readonly mark: string
  readonly ids: Readonly<Record<Kind, readonly (string | number)[]>>
  readonly tokens: Readonly<Record<Role, string>>
  /** Everybody who is connected, of each role. */
  readonly clients: readonly Client[]
  /** Goes on with what its people do. */
  live(round: number): Promise<void>
  close(): void
}

/** Fills an organisation with everything that the contracts know, by the ways that clients have. */
export async function planted(server: Pick<TestServer, 'url'>, org: string, mark: string): Promise<Organisation> {
  const { url } = server
  const token = (role: Role, id: string = role): Promise<string> =>
    tokenFor(role, `${org}-${id}`, org, { name: `${mark} ${id}`, email: `${id}@${org}.example` })
  const tokens = Object.fromEntries(await Promise.all(ROLES.map(async (role) => [role, await token(role)])))
  const done = async (role: Role, method: string, path: string, body?: unknown) => {
    const answer = await call(url, tokens[role], method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body.data
  }
  const clients: Client[] = []
  const come = async (role: Role, id: string = role): Promise<Client> => {
    const client = await connect(url, { auth: { token: await token(role, id) } })
    clients.push(client)
    return client
  }
  const agreed = async (client: Client, name: string, data: object): Promise<void> => {
    const [ok, why] = await client.ask(name, data)
    if (ok !== true) throw new Error(`${name}: ${why}`)
  }

  const [agent, , , teacher, student] = [
    await come('agent'),
    await come('supervisor'),
    await come('admin'),
    await come('teacher'),
    await come('student'),
  ]
  const chats = await chatsOf(agent, (id) => come('visitor', id), mark)
  const account = await done('admin', 'POST', '/users', {
    ...{ email: `account@${org}.example`, password: 'a password of the walls', role: 'agent' },
    ...{ full_name: `${mark} account` },
  })

  const lesson = async (): Promise<{ id: string; code: string }> =>
    done('teacher', 'POST', '/lessons', { title: mark, starts_at: new Date().toISOString(), planned_minutes: 45 })
  const lessons = [await lesson(), await lesson(), await lesson()]
  const [, live, ended] = lessons as [{ id: string }, { id: string; code: string }, { id: string }]
  for (const { id } of [live, ended]) await done('teacher', 'POST', `/lessons/${id}/start`)
  await done('teacher', 'POST', `/lessons/${ended.id}/end`)
  await agreed(student, 'join_lesson', { lesson_id: live.id })

  const course = (await done('teacher', 'POST', '/courses', { title: mark })).id
  const at = `/courses/${course}`
  await done('teacher', 'POST', `${at}/enrollments`, { student_id: `${org}-student` })
  const video = (await done('teacher', 'POST', `${at}/videos`, { title: mark, duration_seconds: 60 })).id
  const questions = [{ text: mark, choices: [mark, 'no'], answer: 0 }]
  const quiz = (await done('teacher', 'POST', `${at}/quizzes`, { title: mark, pass_score: 50, questions })).id
  await done('student', 'POST', `${at}/quizzes/${quiz}/submissions`, { answers: [0] })
  await done('student', 'POST', `${at}/reviews`, { rating: 5, comment: mark })
  const sessions = [
    await done('teacher', 'POST', `${at}/attendance-sessions`, {}),
    await done('teacher', 'POST', `${at}/attendance-sessions`, {}),
  ]
  await done('teacher', 'POST', `${at}/attendance-sessions/${sessions[1].id}/end`)
  const { code } = await done('teacher', 'GET', `${at}/attendance-sessions/${sessions[0].id}/code`)
  for (const client of [teacher, student]) {
    await agreed(client, 'join_course', { course_id: course })
    await agreed(client, 'join_video', { video_id: video })
    await agreed(client, 'subscribeToCourse', { course_id: course })
  }

  const project = (await done('agent', 'POST', '/projects', { title: mark })).id
  const numbers: number[] = []
  for (const role of ['agent', 'supervisor', 'teacher'] as const)
    numbers.push((await done(role, 'GET', '/users/me')).number)
  await done('agent', 'POST', `/projects/${project}/participants`, { user_id: numbers[1] })
  const member = await connect(`${url}/ws/messages`, { extraHeaders: { Authorization: `Bearer ${tokens.agent}` } })
  clients.push(member)
  await agreed(member, 'join_project', { project_id: project })
  const file = { file_name: `${mark}.txt`, file_base64: Buffer.from(mark).toString('base64') }
  await agreed(member, 'send_message', { project_id: project, content: mark, ...file })

  return {
    ...{ org, mark, tokens, clients },
    ids: {
      ...{ chat: chats, lesson: [live.id, ...lessons.filter((one) => one !== live).map(({ id }) => id)] },
      ...{ course: [course], session: sessions.map(({ id }) => id), video: [video], quiz: [quiz] },
      ...{
        person: [...['student', 'teacher', 'agent'].map((role) => `${org}-${role}`), account.id],
        project: [project],
        number: numbers,
      },
      ...{ lessonCode: [live.code], checkInCode: [code], email: [`account@${org}.example`], org: [org] },
    },
    async live(round) {
      await agreed(agent, 'staff_msg', { room: chats[1], content: { text: `${mark} ${round}` } })
      await agreed(member, 'send_message', { project_id: project, content: `${mark} ${round}` })
      await agreed(student, 'send_chat_message', { video_id: video, message: `${mark} ${round}`, timestamp: round })
      if (round < 3) {
        await agreed(student, 'leave_lesson', { lesson_id: live.id })
        await agreed(student, 'join_lesson', { lesson_id: live.id, name: mark })
      }
      await done('teacher', 'PATCH', at, { title: `${mark} ${round}` })
      await done('agent', 'PATCH', `/projects/${project}`, { title: `${mark} ${round}` })
      await done('teacher', 'POST', `/attendance-sessions/${sessions[0].id}/marks`, {
        ...{ student_id: `${org}-student`, status: round % 2 ? 'present' : 'late', reason: mark },
      })
      await pause(20)
    },
    close() {
      for (const client of clients.splice(0)) client.close()
    },
  }
}

/** One that waits, one that an agent serves, one that is over. */
async function chatsOf(agent: Client, come: (id: string) => Promise<Client>, mark: string): Promise<readonly string[]> {
  const chats: string[] = []
  for (const [n, id] of ['visitor', 'served', 'gone'].entries()) {
    const visitor = await come(id)
    await visitor.ask('visitor_first_msg', { text: mark })
    await agent.told('append_unclaimed_chats', () => agent.all('append_unclaimed_chats').length > n)
    chats.push(agent.all('append_unclaimed_chats')[n].room.id)
    if (n > 0) await agent.ask('staff_join', { room: chats[n] })
    if (n === 2) await visitor.ask('visitor_leave_room', {})
  }
  return chats
}
