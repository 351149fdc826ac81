import { setTimeout as pause } from 'node:timers/promises'
import { type Client, connect } from '../support/client.ts'
import { call } from '../support/lessons.ts'
import { type TestServer, tokenFor } from '../support/server.ts'

/** What attackers may know of those whom they disturb. It crosses to their process as JSON. */
export interface World {
  readonly org: string
  readonly rooms: readonly string[]
  readonly course: string
  readonly video: string
  readonly lesson: { readonly id: string; readonly code: string }
  readonly login: { readonly email: string; readonly password: string }
}

/** Latencies of calls that began in a stretch of time, milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** People who go about their work at a steady pace, and remember every yes. */
export interface Honest {
  readonly world: World
  /** Of the calls that began between these two times of `performance.now()`. */
  latency(from: number, to: number): Latency
  /** Refused, unanswered or disconnected: one sentence each. */
  readonly troubles: readonly string[]
  /** Ends the work and compares what was acknowledged with what is there. */
  settle(): Promise<{ readonly acked: number; readonly wrong: readonly string[] }>
  close(): void
}

const VISITORS = 24
const AGENTS = 8
const TEACHERS = 4
/** Between two calls of one client. */
const PACE_MS = 200
/** An ack that has not come by then will not. */
const UNANSWERED_MS = 30_000

interface Sample {
  readonly at: number
  ms: number | null
}

/** A desk with open chats and a course with a video and a lesson, and those who are busy there. */
export async function honest({ url }: Pick<TestServer, 'url'>, org = 'acme'): Promise<Honest> {
  const clients: Client[] = []
  const troubles: string[] = []
  const samples: Sample[] = []
  const acked = new Map<string, Set<string>>()
  let isOver = false
  let calls = 0

  const token = (role: string, id: string): Promise<string> => tokenFor(role, id, org)
  const come = async (role: string, id: string): Promise<Client> => {
    const client = await connect(url, { auth: { token: await token(role, id) } })
    client.socket.on('disconnect', (why) => {
      if (!isOver) troubles.push(`${id} was disconnected: ${why}`)
    })
    clients.push(client)
    return client
  }
  const admin = await token('admin', 'ada')
  const made = async (as: string, path: string, body?: unknown) => (await call(url, as, 'POST', path, body)).body.data
  const tea = await token('teacher', 'teacher-0')
  const course: string = (await made(tea, '/courses', { title: 'Algebra' })).id
  for (let n = 1; n < TEACHERS; n++) await made(admin, `/courses/${course}/teachers`, { teacher_id: `teacher-${n}` })
  const video: string = (await made(tea, `/courses/${course}/videos`, { title: 'Sets', duration_seconds: 600 })).id
  const lesson = await made(tea, '/lessons', {
    title: 'Live',
    starts_at: new Date().toISOString(),
    planned_minutes: 45,
  })
  await made(tea, `/lessons/${lesson.id}/start`)
  const login = { email: 'honest@acme.example', password: 'a password that is right' }
  await made(admin, '/users', { ...login, role: 'agent', full_name: 'Honest' })

  const agents = await Promise.all(Array.from({ length: AGENTS }, (_, n) => come('agent', `agent-${n}`)))
  const rooms: string[] = []
  const visitors: Client[] = []
  for (let n = 0; n < VISITORS; n++) {
    const visitor = await come('visitor', `visitor-${n}`)
    const agent = agents[n % AGENTS] as Client // there are AGENTS of them
    await visitor.ask('visitor_first_msg', { text: 'hello' })
    const { room } = await agent.told('append_unclaimed_chats', ({ user }) => user.id === `visitor-${n}`)
    await agent.ask('staff_join', { room: room.id })
    visitors.push(visitor)
    rooms.push(room.id)
  }
  const teachers = await Promise.all(Array.from({ length: TEACHERS }, (_, n) => come('teacher', `teacher-${n}`)))
  for (const teacher of teachers) {
    await teacher.ask('join_course', { course_id: course })
    await teacher.ask('join_video', { video_id: video })
  }

  /** One call after another, each at its time, whether the one before is answered or not. */
  const work = async (client: Client, place: string, name: string, data: (id: string) => object): Promise<void> => {
    await pause(Math.random() * PACE_MS)
    const under = new Set<Promise<void>>()
    for (let due = performance.now(); !isOver; due += PACE_MS) {
      const id = `m${++calls}`
      const sample: Sample = { at: performance.now(), ms: null }
      samples.push(sample)
      const asked = client.socket
        .timeout(UNANSWERED_MS)
        .emitWithAck(name, data(id))
        .then((ack: unknown) => {
          sample.ms = performance.now() - sample.at
          const [ok, why] = Array.isArray(ack) ? ack : [ack, null]
          if (ok === true) acked.set(place, (acked.get(place) ?? new Set()).add(id))
          else troubles.push(`${name} was refused: ${why ?? ok}`)
        })
        .catch((error: Error) => void troubles.push(`${name}: ${error.message}`))
        .finally(() => under.delete(asked))
      under.add(asked)
      await pause(Math.max(0, due + PACE_MS - performance.now()))
    }
    await Promise.all(under)
  }
  const working = [
    ...visitors.map((client, n) => work(client, rooms[n] ?? '', 'visitor_msg', (id) => ({ text: id }))),
    ...agents.map((client, n) => work(client, rooms[n] ?? '', 'staff_msg', (id) => messageIn(rooms[n], id))),
    ...teachers.map((client) =>
      work(client, video, 'send_chat_message', (message) => ({ video_id: video, message, timestamp: 1 })),
    ),
  ]

  return {
    ...{ troubles, world: { org, rooms, course, video, lesson: { id: lesson.id, code: lesson.code }, login } },
    latency(from, to) {
      const now = performance.now()
      const taken = samples.filter(({ at }) => at >= from && at < to).map(({ at, ms }) => ms ?? now - at)
      taken.sort((a, b) => a - b)
      const quantile = (of: number): number => taken[Math.min(taken.length - 1, Math.floor(taken.length * of))] ?? 0
      return { p50: quantile(0.5), p99: quantile(0.99) }
    },
    async settle() {
      isOver = true
      await Promise.all(working)
      const wrong: string[] = []
      let count = 0
      for (const [place, ids] of acked) {
        count += ids.size
        const path = place === video ? `/courses/${course}/videos/${video}/messages` : `/chats/${place}/events`
        const found = await textsOf(url, admin, path)
        for (const id of ids) {
          const times = found.get(id) ?? 0
          if (times !== 1) wrong.push(`${id} in ${path} was acknowledged and is there ${times} times`)
        }
      }
      return { acked: count, wrong }
    },
    close() {
      isOver = true
      for (const client of clients) client.close()
    },
  }
}

const messageIn = (room: string | undefined, text: string): object => ({ room, content: { text } })

/** How often each message stands in a transcript, page by page. */
async function textsOf(url: string, token: string, path: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  let after: string | undefined
  do {
    const { status, body } = await call(
      url,
      token,
      'GET',
      `${path}?limit=500${after === undefined ? '' : `&after=${after}`}`,
    )
    if (status !== 200) throw new Error(`${path} cannot be read: ${status} ${JSON.stringify(body)}`)
    for (const [, id = ''] of JSON.stringify(body.data).matchAll(/"(m\d+)"/g)) found.set(id, (found.get(id) ?? 0) + 1)
    after = body.next
  } while (after !== undefined)
  return found
}
