import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lyceum } from '../faults/command-line.ts'
import type { Client } from '../support/client.ts'
import { type EventStoreStandin, startEventStore } from '../support/eventstore-standin.ts'
import { copyInto, linkInto, setMetadata } from '../support/eventstore-standin-others.ts'
import { call, enter, eventually, type Lesson, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Company, company } from './company.ts'

const HOUR_MS = 3_600_000
const DAMAGED = expect.stringMatching(/^damaged: /)

/** What somebody else does to a stream of ours. */
type Hand = (store: EventStoreStandin, stream: string) => void

const hide =
  (metadata: object): Hand =>
  (store, stream) =>
    setMetadata(store, stream, metadata)
const softDelete: Hand = ({ store }, stream) => store.softDelete(stream, Date.now())
const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))
const ours = { $correlationId: 'a', by: 'acme.somebody' }
/** The newest version of an event that there is, as a release from the future writes it. */
const fromTheFuture: Hand = (store, stream) =>
  store.put(stream, { type: stream.startsWith('chat') ? 'ChatClaimed' : 'LessonEnded', meta: json({ ...ours, v: 99 }) })

interface Case {
  readonly name: string
  readonly hand: Hand
  readonly status: 409 | 410
  /** Seqs of the events of a chat of three that can still be seen; null = none. */
  readonly events: readonly number[] | null
  /** Whether what was before can still be shown as a whole. */
  readonly isShown: boolean
  readonly isScavenged?: boolean
}

const cut = { status: 409, isShown: false } as const
const gone = { status: 410, events: null, isShown: false } as const
const added = { status: 409, events: [0, 1, 2], isShown: true } as const
const cases: readonly Case[] = [
  { name: 'maxcount', hand: hide({ $maxCount: 1 }), ...cut, events: [2] },
  { name: 'truncated', hand: hide({ $tb: 1 }), ...cut, events: [1, 2] },
  { name: 'aged', hand: hide({ $maxAge: HOUR_MS / 2_000 }), ...cut, events: null },
  { name: 'scavenged', hand: hide({ $maxCount: 1 }), ...cut, events: [2], isScavenged: true },
  { name: 'deleted', hand: softDelete, ...gone },
  { name: 'deleted-scavenged', hand: softDelete, ...gone, isScavenged: true },
  { name: 'tombstoned', hand: ({ store }, stream) => store.tombstone(stream), ...gone },
  { name: 'foreign', hand: (store, stream) => store.put(stream, { type: 'Foreign' }), ...added },
  { name: 'binary', hand: (store, stream) => store.put(stream, { json: false, type: 'Binary' }), ...added },
  { name: 'linked', hand: (store, stream) => linkInto(store, stream, 'lesson-x'), ...added },
  { name: 'future', hand: fromTheFuture, ...added },
  {
    name: 'impossible',
    hand: (store, stream) => copyInto(store, stream, stream),
    ...added,
    events: [0, 1, 2, 3, 4, 5],
  },
]

let store: EventStoreStandin
let data: string
let server: TestServer
let acme: Company
let ann: Client
let teacher: string
let course: string
const rooms = new Map<string, string>()
const lessons = new Map<string, Lesson>()

/** Damaged besides the cases: a person, a presence, a course. */
const others = (): readonly string[] => ['person-acme.pat', 'presence-acme.pru', `course-${course}`]

const start = (graceMs: number): Promise<TestServer> =>
  startServer({ data, env: { EVENTSTORE_URL: store.url, DISCONNECT_GRACE_MS: String(graceMs) } })
const roomOf = ({ name }: Case): string => rooms.get(name) ?? ''
const lessonOfCase = ({ name }: Case): Lesson => lessons.get(name) ?? { id: '', code: '' }
const get = async (path: string, role = 'supervisor') => {
  const response = await acme.http(role, `/api/v1${path}`)
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert what is in it
  return { status: response.status, body: (await response.json()) as any }
}

beforeAll(async () => {
  store = await startEventStore({ behaviour: { clock: () => Date.now() - HOUR_MS } })
  store.put('lesson-x', { type: 'Foreign' }) // links lead here
  data = await mkdtemp(join(tmpdir(), 'lyceum-damaged-'))
  server = await start(60_000)
  acme = company(server, 'websocket', 'acme')
  ann = await acme.join('agent', 'ann')
  teacher = await tokenFor('teacher', 'http-teacher')
  await Promise.all(
    cases.map(async ({ name }) => {
      const { visitor, room } = await acme.chat(name, ann)
      for (const n of [1, 2]) expect(await visitor.ask('visitor_msg', { n })).toEqual([true, null])
      rooms.set(name, room)
      lessons.set(name, await lessonOf(server.url, teacher))
    }),
  )
  for (const id of ['pat', 'pru']) await acme.join('agent', id)
  const created = await call(server.url, teacher, 'POST', '/courses', { title: 'Fractions' })
  course = created.body.data.id
  server.kill('SIGKILL') // told to stop, or left, it would end the chats
  await server.ended
  acme.close()
  for (const isScavenged of [true, false]) {
    for (const one of cases.filter((its) => (its.isScavenged ?? false) === isScavenged))
      for (const stream of [`chat-${roomOf(one)}`, `lesson-${lessonOfCase(one).id}`]) one.hand(store, stream)
    if (isScavenged) store.store.scavenge(Date.now())
  }
  for (const stream of others()) store.put(stream, { type: 'Foreign' })
  store.behaviour.clock = Date.now
  // Everybody is gone: the policy for abandoned chats looks at every chat at once.
  server = await start(100)
  acme = company(server, 'websocket', 'acme')
  ann = await acme.join('agent', 'ann')
})
afterAll(async () => {
  acme.close()
  if ((await server.stop()) !== 0) throw new Error(server.output())
  store.kill()
  await rm(data, { recursive: true, force: true })
})

describe.each(cases)('a chat and a lesson that are $name', (one) => {
  test('[DAMAGED-3] refuse commands as damaged, and with the status that says how', async () => {
    expect(await ann.ask('staff_join', { room: roomOf(one) })).toEqual([false, DAMAGED])
    const { id, code } = lessonOfCase(one)
    const student = await enter(server, 'student', `stu-${one.name}`)
    expect((await student.ask('join_lesson', { code })).slice(0, 2)).toEqual([false, DAMAGED])
    student.close()
    const ended = await call(server.url, teacher, 'POST', `/lessons/${id}/end`)
    expect([ended.status, ended.body.error?.code]).toEqual([one.status, 'damaged'])
  })

  test('[DAMAGED-4] show what can be read, with a note', async () => {
    const note = one.isShown ? expect.stringContaining('was damaged in the store') : undefined
    const chat = await get(`/chats/${roomOf(one)}`)
    const lesson = await get(`/lessons/${lessonOfCase(one).id}`, 'teacher')
    for (const { status, body } of [chat, lesson]) {
      expect(status).toBe(one.isShown ? 200 : one.status)
      if (one.isShown) expect(body.data.note).toEqual(note)
      else expect(body.error.code).toBe('damaged')
    }
    if (one.isShown) expect([chat.body.data.seq, lesson.body.data.seq]).toEqual([2, 1])
    const events = await get(`/chats/${roomOf(one)}/events`)
    if (one.events === null) expect([events.status, events.body.error.code]).toEqual([one.status, 'damaged'])
    else {
      expect(events.body.data.map(({ seq }: { readonly seq: number }) => seq)).toEqual(one.events)
      expect(events.body.note).toEqual(expect.stringContaining('was damaged in the store'))
    }
  })

  test('[DAMAGED-8] do not keep the visitor from opening another one', async () => {
    const visitor = await acme.join('visitor', one.name)
    expect(await visitor.ask('visitor_msg', { n: 3 })).toEqual([false, DAMAGED])
    expect(await visitor.ask('visitor_first_msg', { n: 4 })).toEqual([true, null])
    expect(await visitor.ask('visitor_msg', { n: 5 })).toEqual([true, null])
    visitor.close()
  })
})

test('[DAMAGED-4] what is left of a chat is shown to nobody of another organisation', async () => {
  const token = await tokenFor('admin', 'eve', 'evil')
  for (const one of cases.filter(({ events }) => events !== null)) {
    const shown = await call(server.url, token, 'GET', `/chats/${roomOf(one)}/events`)
    expect([one.name, shown.status, shown.body.error.code]).toEqual([one.name, 404, 'no-such-chat'])
  }
})

test.each(['pat', 'pru'])('[DAMAGED-3] %s, of whom nothing can be recorded, is sent away for good', async (id) => {
  await expect(acme.join('agent', id)).rejects.toMatchObject({ data: { code: 403 } })
})

test('[DAMAGED-3] a course is refused as damaged, whatever is asked, and listed as it was', async () => {
  const asked = await call(server.url, teacher, 'POST', `/courses/${course}/enrollments`, { student_id: 'stu' })
  for (const { status, body } of [asked, await get(`/courses/${course}`, 'teacher')])
    expect([status, body.error?.code]).toEqual([409, 'damaged'])
  expect((await get('/courses', 'teacher')).body.data).toMatchObject([{ id: course }])
})

test('[DAMAGED-3] what never was is still answered as that', async () => {
  expect(await ann.ask('staff_join', { room: 'nowhere' })).toEqual([false, expect.stringMatching(/^no-such-chat/)])
  expect((await get('/chats/nowhere')).status).toBe(404)
  expect((await get('/lessons/nowhere', 'teacher')).status).toBe(404)
})

test('[DAMAGED-6] other rooms, lists and openings never notice', async () => {
  const { visitor, room } = await acme.chat('vic', ann)
  expect(await ann.ask('staff_join', { room })).toEqual([true, null])
  expect(await visitor.ask('visitor_msg', { n: 1 })).toEqual([true, null])
  await ann.told('visitor_send')
  expect((await get('/chats')).status).toBe(200)
  expect((await get('/lessons', 'teacher')).status).toBe(200)
  const lesson = await lessonOf(server.url, teacher)
  expect((await call(server.url, teacher, 'POST', `/lessons/${lesson.id}/end`)).status).toBe(200)
  await (await acme.join('supervisor', 'sue')).told('staff_init')
})

test('[DAMAGED-2] [DAMAGED-5] each is told in one line, whoever met it; policies leave it alone', async () => {
  const streams = [...cases.flatMap((one) => [`chat-${roomOf(one)}`, `lesson-${lessonOfCase(one).id}`]), ...others()]
  const lines = () =>
    server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .filter(({ level, err }) => level >= 50 && err?.kind !== 'parked') // which is what became of a view's row
  await eventually(lines, (told) => streams.every((stream) => told.some((line) => line.stream === stream)))
  expect(
    lines()
      .map(({ stream }) => stream)
      .sort(),
  ).toEqual([...streams].sort())
  for (const { revision, why, remedy } of lines()) {
    expect(revision).toBeGreaterThanOrEqual(0)
    expect(`${why} ${remedy}`.length).toBeGreaterThan(60)
  }
})

test('[DAMAGED-7] views verify says equal, and names what it cannot compare', async () => {
  acme.close()
  await server.stop()
  const told = await lyceum(['views', 'verify'], { LYCEUM_DATA: data, EVENTSTORE_URL: store.url })
  expect(told).not.toContain('DIFFERENT')
  expect(told).toMatch(/chats: equal/)
  const [, named = ''] = /chats: equal.*\n {2}2 not compared.*: (.*)/.exec(told) ?? []
  expect(named.split(', ').sort()).toEqual(
    cases
      .filter(({ isScavenged }) => isScavenged)
      .map(roomOf)
      .sort(),
  )
})
