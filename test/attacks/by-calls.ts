import { randomBytes, randomUUID } from 'node:crypto'
import { type Attacking, again, everybody, flood } from './attacking.ts'
import { frameOf, type Raw } from './raw.ts'

/** As many frames as fit well into one write. */
const volley = (count: number, text: (n: number) => string): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, n) => frameOf(text(n))))

/** Everybody who is let in sends these for as long as they may. */
const floodBy =
  (role: string, text: (n: number, it: Attacking) => string, inOne = 100) =>
  (it: Attacking): Promise<void> =>
    everybody(it, (lane) =>
      again(
        it,
        () => it.socket(role, `mallory-${lane}`),
        (raw) => flood(it, raw, () => volley(inOne, (n) => text(n, it))),
      ),
    )

const event = (name: string, data: unknown, ack = ''): string => `42${ack}${JSON.stringify([name, data])}`

export const refusedSubscriptions = floodBy('student', (n) =>
  event('subscribeToCourse', { course_id: 'nowhere' }, `${n}`),
)
export const unknownEvents = floodBy('visitor', (n) => event(`nonsense${n}`, { n }, `${n}`))
export const typing = floodBy('visitor', () => event('typing', { isTyping: true }))
export const unknownNamespaces = floodBy('visitor', (n) => `40/nowhere${n},{}`)
export const bigNumbers = floodBy(
  'agent',
  (n) => `42${n}["change_chat_priority",{"room":"x","severity_level":${'9'.repeat(300)}}]`,
)
export const deepFrames = floodBy('visitor', () => `42["visitor_msg",${'['.repeat(5_000)}${']'.repeat(5_000)}]`, 4)
export const reusedAcks = floodBy('visitor', (n) => (n % 2 ? event('visitor_msg', { text: 'x' }, '0') : '430[true]'))
export const emptyFrames = floodBy('visitor', () => '')
export const reservedNames = floodBy(
  'visitor',
  (n) => event(['connect', 'disconnect', 'newListener', 'error'][n % 4] ?? '', {}),
  4,
)
export const enginePings = floodBy('visitor', (n) => (n % 2 ? '2' : '3'))
export const priorities = floodBy('agent', (n, { world }) =>
  event('change_chat_priority', { room: world.rooms[n % world.rooms.length], severity_level: n % 100 }, `${n}`),
)
export const replayedForeign = floodBy('agent', (n) =>
  event('replay_chat', { room: 'x'.repeat(32), speed: 1_000 }, `${n}`),
)

/** Control frames of WebSocket itself. */
const controls =
  (opcode: number) =>
  (it: Attacking): Promise<void> =>
    everybody(it, (lane) =>
      again(
        it,
        () => it.socket('visitor', `mallory-${lane}`),
        (raw) => {
          const frames = Buffer.concat(Array.from({ length: 500 }, () => frameOf('x'.repeat(100), { opcode })))
          return flood(it, raw, () => frames)
        },
      ),
    )
export const socketPings = controls(9)
export const socketPongs = controls(10)

/** One chat for each attacker, and a message under a new client_id each time. */
export const clientIds = (it: Attacking): Promise<void> =>
  everybody(it, (lane) =>
    again(
      it,
      () => it.socket('visitor', `mallory-${lane}`),
      async (raw) => {
        await raw.send(event('visitor_first_msg', { content: { text: 'x' }, client_id: randomUUID() }))
        await flood(it, raw, () =>
          volley(50, () =>
            event('visitor_msg', { content: { text: 'x' }, client_id: randomBytes(60).toString('hex') }, '1'),
          ),
        )
      },
    ),
  )

/** 8.8 MB/s of one who is let in, as allowed messages. */
export const visitorBytes = (it: Attacking): Promise<void> =>
  everybody(it, (lane) =>
    again(
      it,
      () => it.socket('visitor', `mallory-${lane}`),
      async (raw) => {
        await raw.send(event('visitor_first_msg', { text: 'x' }))
        const large = frameOf(event('visitor_msg', { text: 'x'.repeat(60_000) }, '1'))
        while (!it.isOver() && raw.isOpen()) {
          for (let n = 0; n < 15; n++) await raw.write(large)
          await it.rest(100)
        }
      },
    ),
  )

/** In and out of a course and of a lesson, as fast as it goes. */
export const roomStorm = floodBy('teacher', (n, { world }) => {
  const calls = [
    event('join_course', { course_id: world.course }, `${n}`),
    event('join_video', { video_id: world.video }, `${n}`),
    event('leave_course', { course_id: world.course }, `${n}`),
    event('join_lesson', { lesson_id: world.lesson.id }, `${n}`),
    event('leave_lesson', { lesson_id: world.lesson.id }, `${n}`),
  ]
  return calls[n % calls.length] ?? ''
})

/** Courses of an attacker's own, thousands of subscriptions to them. */
export async function topics(it: Attacking): Promise<void> {
  const token = await it.token('teacher', 'mallory')
  const courses: string[] = []
  while (!it.isOver() && courses.length < 300) {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => it.http('POST', '/api/v1/courses', { token, body: { title: 'x' } })),
    )
    courses.push(...made.flatMap(({ body }) => body?.data?.id ?? []))
    if (made.every(({ status }) => status !== 201)) break
  }
  await everybody(it, () =>
    again(
      it,
      () => it.socket('teacher', 'mallory'),
      (raw) =>
        flood(it, raw, () =>
          volley(100, (n) => event('subscribeToCourse', { course_id: courses[n % courses.length] ?? 'x' }, `${n}`)),
        ),
    ),
  )
}

/** A long chat of one's own, replayed to those who do not read, 93 times a second. */
export async function replays(it: Attacking): Promise<void> {
  const writer = await it.socket('visitor', 'mallory')
  let room: string | undefined
  const staff = await it.socket('supervisor', 'mallory-s')
  staff?.onText((text) => {
    room ??= /"append_unclaimed_chats".*?"room":\{"id":"([\w-]+)"/.exec(text)?.[1]
  })
  await writer?.send(event('visitor_first_msg', { text: 'x' }))
  for (let n = 0; n < 60; n++) await writer?.send(event('visitor_msg', { text: 'x'.repeat(60_000) }))
  while (room === undefined && !it.isOver()) await it.rest(20)
  await everybody(it, (lane) =>
    again(
      it,
      () => it.socket('supervisor', `mallory-${lane}`),
      async (raw) => {
        raw.socket.pause()
        while (!it.isOver() && raw.isOpen()) {
          await Promise.race([raw.send(event('replay_chat', { room, speed: 1_000 })), it.rest(1_000)])
          await it.rest(1_000 / 93)
        }
      },
    ),
  )
}

/** A hundred tabs of one person, who all hear and say the same. */
export async function tabs(it: Attacking): Promise<void> {
  const open: Raw[] = []
  await everybody(it, async () => {
    const raw = await it.socket('agent', 'mallory')
    if (raw) open.push(raw)
  })
  while (!it.isOver()) {
    for (const raw of open)
      if (raw.isOpen()) void raw.send(event('change_chat_priority', { room: it.world.rooms[0] }, '1'))
    await it.rest(50)
  }
}
