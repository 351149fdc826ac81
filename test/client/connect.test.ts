import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type LyceumClient, connect as typed } from 'lyceum-client'
import { Refused } from 'lyceum-client/refused'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../faults/load.ts'
import { campus } from '../support/campus.ts'
import { call, lessonOf } from '../support/lessons.ts'
import { type Line, openLine } from '../support/line.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let line: Line
let data: string
const open: LyceumClient[] = []
const env = { DISCONNECT_GRACE_MS: '60000' }

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-'))
  server = await startServer({ data, env })
  line = await openLine(server.url)
})
afterEach(async () => {
  for (const client of open.splice(0)) client.close()
  await line.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const come = async (
  role: string,
  id: string,
  more: Partial<Parameters<typeof typed>[0]> = {},
): Promise<LyceumClient> => {
  const client = typed({
    url: line.url,
    token: () => tokenFor(role, id),
    socket: { transports: ['websocket'], reconnectionDelay: 20, reconnectionDelayMax: 60, timeout: 500 },
    ...more,
  })
  open.push(client)
  await until(() => client.held.desk !== undefined || client.held.chat !== undefined || client.isConnected)
  return client
}
const roomIn = (client: LyceumClient): string => client.held.desk?.unclaimed_chats[0]?.room.id ?? ''
const texts = (messages: readonly { readonly content: unknown }[] | undefined) =>
  messages?.map(({ content }) => content)

test('[CLIENT-2] what it holds is what a fresh client is told, over cuts, half open lines and kill -9', async () => {
  const [ann, sue, vera] = [await come('agent', 'ann'), await come('supervisor', 'sue'), await come('visitor', 'vera')]
  const heard: unknown[] = []
  vera.on('staff_send', ({ content }) => heard.push(content))
  await vera.call('visitor_first_msg', { content: { n: 0 } })
  await until(() => roomIn(ann) !== '')
  const room = roomIn(ann)
  await ann.call('staff_join', { room })
  const said: object[] = []
  for (let n = 1; n <= 9; n++) {
    const [calls, content] = [[ann.call('staff_msg', { room, content: { n } })], { n: n + 100 }]
    said.push({ n })
    if (n % 3 === 0) line.down()
    else if (n % 3 === 1) line.freeze()
    calls.push(vera.call('visitor_msg', { content }))
    if (n === 5) {
      server.kill('SIGKILL')
      await server.ended
      server = await startServer({ data, env })
      line.leadTo(server.url)
    }
    if (n % 3 === 1) line.drop()
    line.mend()
    await Promise.all(calls)
  }
  const fence = { n: 'last' }
  await ann.call('staff_msg', { room, content: fence })
  await until(() => heard.some((content) => isDeepStrictEqual(content, fence)))
  expect(heard, 'each once, in order').toEqual([...said, fence])
  const fresh = await come('visitor', 'vera')
  await until(() => fresh.held.chat !== undefined)
  expect(vera.held.chat).toEqual(fresh.held.chat)
  for (const [old, role, id] of [
    [ann, 'agent', 'ann'],
    [sue, 'supervisor', 'sue'],
  ] as const) {
    const desk = await come(role, id)
    await until(() => old.isConnected && JSON.stringify(desk.held.desk) === JSON.stringify(old.held.desk))
  }
  // Acks come before what was missed.
  await until(() => isDeepStrictEqual(texts(ann.held.ownMessages[room])?.at(-1), fence))
  expect(texts(ann.held.ownMessages[room])).toEqual(texts(vera.held.chat?.messages))
})

test('[CLIENT-3] a call is repeated until it is answered, happens once, and is refused with its code', async () => {
  const [ann, vera] = [await come('agent', 'ann'), await come('visitor', 'vera')]
  line.freeze() // what is sent now never arrives, or its answer does not
  const opening = vera.call('visitor_first_msg', { content: { n: 1 } })
  line.drop()
  line.mend()
  expect((await opening).seq).toBe(0)
  expect(vera.waiting).toBe(0)
  await until(() => (ann.held.desk?.unclaimed_chats.length ?? 0) > 0)
  expect(ann.held.desk?.unclaimed_chats[0]?.contents).toEqual([{ n: 1 }])
  const refused = await vera.call('visitor_first_msg', { content: { n: 2 } }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refused)
  expect(refused).toMatchObject({ code: 'chat-already-open' })
})

test('[CLIENT-4] a snapshot goes on where it was taken, in another client', async () => {
  const [ann, vera] = [await come('agent', 'ann'), await come('visitor', 'vera')]
  await vera.call('visitor_first_msg', { content: { n: 1 } })
  await until(() => roomIn(ann) !== '')
  const room = roomIn(ann)
  await ann.call('staff_join', { room })
  await until(() => vera.held.chat?.staff?.id === 'ann')
  const from = JSON.parse(JSON.stringify(vera.snapshot()))
  vera.close()
  await ann.call('staff_msg', { room, content: { n: 2 } }).catch(() => {}) // the chat ended with its visitor
  const back = await come('visitor', 'vera', { from })
  await until(() => back.held.chat === null)
})

test('[CLIENT-5] lessons and courses are held like a fresh client’s, and watched again after a loss', async () => {
  const tea = await tokenFor('teacher', 'tea')
  const lesson = await lessonOf(server.url, tea)
  const { data: course } = (await call(server.url, tea, 'POST', '/courses', { title: 'C' })).body
  const [teacher, stu] = [await come('teacher', 'tea'), await come('student', 'stu')]
  for (const one of [teacher, stu]) await one.call('join_lesson', { lesson_id: lesson.id })
  await teacher.call('subscribeToCourse', { course_id: course.id })
  const present = (client: LyceumClient) =>
    client.held.lessons[lesson.id]?.participants.map(({ participant_id: id }) => id)
  await until(() => present(teacher)?.length === 2)
  line.down()
  await call(server.url, tea, 'POST', `/courses/${course.id}/attendance-sessions`, {})
  line.mend()
  const late = await come('student', 'late', { url: server.url })
  await late.call('join_lesson', { lesson_id: lesson.id })
  await until(() => teacher.held.courses[course.id]?.length === 1)
  await until(() => present(teacher)?.includes('late') === true && present(stu)?.includes('late') === true)
  await until(() => present(late) !== undefined)
  expect(present(teacher)?.toSorted()).toEqual(present(late)?.toSorted())
  await call(server.url, tea, 'POST', `/lessons/${lesson.id}/end`)
  await until(() => teacher.held.lessons[lesson.id]?.state === 'ended')
})

test('[CLIENT-6] courses and videos that were joined are joined again after a loss, until they are left', async () => {
  const it = await campus(server)
  const tea = await it.come('teacher', 'tea')
  await tea.ask('join_video', { video_id: it.video })
  const stu = await come('student', 'stu', { token: () => tokenFor('student', 'stu', it.org) })
  const heard: string[] = []
  stu.on('new_chat_message', ({ message }) => heard.push(message))
  stu.on('course_updated', ({ title }) => heard.push(title))
  await stu.call('join_course', { course_id: it.course })
  await stu.call('join_video', { video_id: it.video })
  const says = (message: string) => tea.ask('send_chat_message', { video_id: it.video, message, timestamp: 't' })
  await says('one')
  await until(() => heard.includes('one'))
  line.down()
  await until(() => !stu.isConnected)
  line.mend()
  await until(() => stu.isConnected)
  await says('two')
  await until(() => heard.includes('two'))
  await stu.call('leave_course', { course_id: it.course })
  line.down()
  await until(() => !stu.isConnected)
  line.mend()
  await until(() => stu.isConnected)
  await it.ask(['teacher', 'tea'], 'PATCH', '', { title: 'Decimals' })
  await says('three')
  await until(() => heard.includes('three'))
  expect(heard).toEqual(['one', 'two', 'three'])
  it.close()
})

test('[CLIENT-7] a chat that is returned as the first act of a page stays returned', async () => {
  const [ann, vera] = [await come('agent', 'ann'), await come('visitor', 'vera')]
  await vera.call('visitor_first_msg', { content: { n: 1 } })
  await until(() => roomIn(ann) !== '')
  const room = roomIn(ann)
  await ann.call('staff_join', { room })
  const page = typed({ url: line.url, token: () => tokenFor('agent', 'ann'), socket: { transports: ['websocket'] } })
  open.push(page)
  await page.call('return_chat', { room })
  await until(() => page.waiting === 0 && roomIn(page) === room)
  expect(page.held.desk?.own_chats).toEqual([])
  const types = await eventTypes(room)
  expect(types).toEqual(['ChatOpened', 'ChatClaimed', 'ChatReturned'])
})

test('[CLIENT-7] what is in a chat that one serves is read without a claim', async () => {
  const [ann, vera] = [await come('agent', 'ann'), await come('visitor', 'vera')]
  await vera.call('visitor_first_msg', { content: { n: 1 } })
  await until(() => roomIn(ann) !== '')
  const room = roomIn(ann)
  const again = (one: LyceumClient) =>
    one.call('staff_join', { room, again: true }).catch((error: Refused) => error.code)
  expect(await again(ann)).toBe('chat-not-claimed')
  await ann.call('staff_join', { room })
  expect(await again(ann)).toMatchObject({ room })
  const bob = await come('agent', 'bob')
  expect(await again(bob)).toBe('chat-already-claimed')
  const page = await come('agent', 'ann')
  await until(() => page.held.ownMessages[room] !== undefined)
  expect(page.held.ownMessages[room]).toEqual(ann.held.ownMessages[room])
  expect(await eventTypes(room)).toEqual(['ChatOpened', 'ChatClaimed'])
})

const eventTypes = async (room: string): Promise<readonly string[]> => {
  const { body } = await call(server.url, await tokenFor('admin', 'adm'), 'GET', `/chats/${room}/events`)
  return body.data.map(({ type }: { type: string }) => type)
}

test('[CLIENT-8] a token that cannot be got, or has expired, is asked for again', async () => {
  for (const wrong of [() => Promise.reject(new Error('no network')), () => tokenFor('agent', 'bob', 'acme', {}, -5)]) {
    let asked = 0
    const bob = await come('agent', 'bob', { token: () => (++asked < 3 ? wrong() : tokenFor('agent', 'bob')) })
    const flagging = bob.call('change_chat_priority', { room: 'none', severity_level: 1 })
    await until(() => bob.isConnected)
    expect(asked).toBe(3)
    expect(bob.refused).toBeUndefined()
    await expect(flagging).rejects.toMatchObject({ code: 'no-such-chat' })
    bob.close()
  }
})

test('[CLIENT-8] whoever cannot be let in for good is told why, and so are their calls', async () => {
  const token = await tokenFor('agent', 'bob', 'acme', {}, -5)
  const bob = typed({ url: line.url, token, socket: { transports: ['websocket'] } })
  open.push(bob)
  let changes = 0
  bob.onChange(() => changes++)
  const waiting = bob.call('staff_join', { room: 'x' })
  await expect(waiting).rejects.toMatchObject({ code: '401', message: expect.stringContaining('expired') })
  expect(bob.refused?.code).toBe('401')
  expect(changes).toBeGreaterThan(0)
  await expect(bob.call('staff_join', { room: 'x' })).rejects.toBe(bob.refused)
})

test('[CLIENT-6] what was refused, and what one was taken out of, is not asked for again', async () => {
  const it = await campus(server)
  const stu = await come('student', 'stu', { token: () => tokenFor('student', 'stu', it.org) })
  const errors: string[] = []
  const joined: string[] = []
  stu.on('error', ({ code }) => errors.push(code))
  stu.on('joined_course', ({ course_id }) => joined.push(course_id))
  expect(await stu.call('join_course', { course_id: 'none' }).catch(({ code }: Refused) => code)).toBe('no-such-course')
  await stu.call('join_course', { course_id: it.course })
  await until(() => joined.length === 1)
  await it.ask(['teacher', 'tea'], 'DELETE', '/enrollments/stu')
  await until(() => errors.includes('not-in-course'))
  await it.enrol('stu')
  for (let n = 0; n < 2; n++) {
    const back = new Promise<void>((told) => stu.onChange(() => stu.isConnected && told()))
    line.down()
    await until(() => !stu.isConnected)
    line.mend()
    await back
    await until(() => stu.isConnected)
  }
  await stu.call('join_course', { course_id: it.course }) // behind whatever it asked by itself
  expect(errors).toEqual(['no-such-course', 'not-in-course'])
  await until(() => joined.length === 2)
  it.close()
})

test('[CLIENT-2] also of a chat that holds more than is told at once', async () => {
  const vera = await come('visitor', 'vera')
  await vera.call('visitor_first_msg', { content: { n: 0 } })
  const ann = await come('agent', 'ann')
  await until(() => roomIn(ann) !== '')
  await ann.call('staff_join', { room: roomIn(ann) })
  for (let n = 1; n < 9; n++) await vera.call('visitor_msg', { content: { n, text: 'x'.repeat(60_000) } })
  await until(() => vera.waiting === 0 && vera.held.chat?.messages.at(-1)?.content.n === 8)
  const fresh = await come('visitor', 'vera')
  await until(() => fresh.held.chat !== undefined)
  expect(vera.held.chat).toEqual(fresh.held.chat)
})

test('[CLIENT-2] also where somebody who wrote before is called something else by then', async () => {
  const [ann, sue, vera] = [await come('agent', 'ann'), await come('supervisor', 'sue'), await come('visitor', 'vera')]
  await vera.call('visitor_first_msg', { content: { n: 1 } })
  await until(() => roomIn(sue) !== '')
  const room = roomIn(sue)
  await sue.call('staff_join', { room })
  await sue.call('staff_msg', { room, content: { n: 2 } })
  const iat = Math.floor(Date.now() / 1000) + 1
  await come('supervisor', 'sue', { token: () => tokenFor('supervisor', 'sue', 'acme', { name: 'Susan', iat }) })
  await sue.call('transfer_chat', { room, staff_id: 'ann' })
  await ann.call('staff_msg', { room, content: { n: 3 } })
  await until(() => ann.held.ownMessages[room]?.length === 3)
  const fresh = await come('agent', 'ann')
  await until(() => fresh.held.ownMessages[room] !== undefined)
  expect(fresh.held.ownMessages[room]).toEqual(ann.held.ownMessages[room])
})
