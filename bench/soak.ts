import { join } from 'node:path'
import { connect } from '../test/support/client.ts'
import { call } from '../test/support/lessons.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure } from './figures.ts'
import { inDirectory } from './histories.ts'
import { asleep, INSPECT, taken } from './memory.ts'

/** `BENCH_SOAK=0.1` is a tenth of it. */
const SCALE = Number(process.env.BENCH_SOAK ?? 1)
const CHATS = 100_000 * SCALE
const LESSONS = 10_000 * SCALE
const SESSIONS = 1_000 * SCALE
/**
 * What is kept of a fixed size (the ends of the 65,536 streams written last, the newest events, names) has to be full
 * before it is measured.
 */
const WARMING = 1
const AT_ONCE = 16
const OF_VISITOR = 25
const OF_STUDENT = 20
const ORG = 'bench'

/** Opens, uses and ends so much as a school has in years: what is left of it in memory is nothing. */
export async function soak(): Promise<readonly Figure[]> {
  return inDirectory(async (directory) => {
    const heap = join(directory, 'heap.json')
    const env = { ...NO_LIMITS, ROOM_IDLE_MS: '500', NODE_OPTIONS: INSPECT.join(' '), BENCH_HEAP: heap }
    const server = await startServer({ env, data: join(directory, 'data') })
    const look = async () => {
      await asleep(server.url)
      return taken(server.pid, heap)
    }
    await use(server.url, 'warm', WARMING)
    const before = await look()
    await use(server.url, 'hot', 1)
    const after = await look()
    await server.stop()
    const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
    const count = `${CHATS} chats, ${LESSONS} lessons, ${SESSIONS} attendance sessions`
    return [
      {
        name: 'heap after much was opened, used and ended',
        value: after.heap / before.heap,
        unit: '×',
        target: atMost(1.05),
        note: `${mib(before.heap)} to ${mib(after.heap)} MiB; ${count}`,
      },
      { name: 'the same: resident, without mapped files', value: after.rss / before.rss, unit: '×' },
    ]
  })
}

async function use(url: string, name: string, times: number): Promise<void> {
  const teacher = await tokenFor('teacher', 'tea', ORG)
  const ask = async (method: string, path: string, body?: unknown): Promise<{ readonly id: string }> => {
    const { status, body: answer } = await call(url, teacher, method, path, body)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`)
    return answer.data
  }
  const come = async (role: string, id: string) =>
    connect(url, { auth: { token: await tokenFor(role, id, ORG) }, query: { protocol: '2' } })

  await inLines((times * CHATS) / OF_VISITOR, async (n) => {
    const visitor = await come('visitor', `${name}-v${n}`)
    for (let chat = 0; chat < OF_VISITOR; chat++) {
      sure(await visitor.ask('visitor_first_msg', { content: { text: `where is it? ${n} ${chat}` } }))
      sure(await visitor.ask('visitor_msg_unclaimed', { content: { text: 'here it is' } }))
      sure(await visitor.ask('visitor_leave_room'))
    }
    visitor.close()
  })
  await inLines((times * LESSONS) / OF_STUDENT, async (n) => {
    const student = await come('student', `${name}-s${n}`)
    for (let lesson = 0; lesson < OF_STUDENT; lesson++) {
      const starts_at = new Date().toISOString()
      const { id } = await ask('POST', '/lessons', { title: `L${n}`, starts_at, planned_minutes: 45 })
      sure(await student.ask('join_lesson', { lesson_id: id }))
      if (lesson % 10 !== 0) await ask('POST', `/lessons/${id}/start`) // the others are called off
      await ask('POST', `/lessons/${id}/end`)
    }
    student.close()
  })
  const courses = await Promise.all(Array.from({ length: AT_ONCE }, () => ask('POST', '/courses', { title: name })))
  await inLines(times * SESSIONS, async (n) => {
    const path = `/courses/${courses[n % AT_ONCE]?.id}/attendance-sessions`
    const { id } = await ask('POST', path, {})
    await ask('POST', `${path}/${id}/end`)
  })
}

function sure([isDone, why]: readonly unknown[]): void {
  if (isDone !== true) throw new Error(String(why))
}

/** The work for 0, 1, 2 … below `number`, some side by side. */
async function inLines(number: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const line = async (): Promise<void> => {
    while (next < number) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, line))
}
