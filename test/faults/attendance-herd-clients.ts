import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { tokenFor } from '../support/server.ts'

// A whole year's students in a process of their own. Lines in: `watch <count> <course>`, `check-in <count> <session>
// <ms>`, `watched`, `end`. Lines out: JSON, one for each when it is done.
const [url = '', org = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const tokens = new Map<number, string>()
const sockets: Socket[] = []

interface Told {
  readonly at: number
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: pushes of three shapes
  readonly data: any
}
const told: Told[][] = []

const tokenOf = async (n: number): Promise<string> => {
  const token = tokens.get(n) ?? (await tokenFor('student', `s${n}`, org))
  tokens.set(n, token)
  return token
}

async function watch(count: number, course: string): Promise<object> {
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const socket = io(url, {
        forceNew: true,
        reconnection: false,
        transports: ['websocket'],
        auth: { token: await tokenOf(n) },
      })
      const mine: Told[] = []
      sockets.push(socket)
      told.push(mine)
      socket.onAny((name: string, data: unknown) => mine.push({ at: performance.now(), name, data }))
      await new Promise<void>((resolve, reject) => {
        socket.once('connect_error', reject)
        socket.once('activeSessionsError', (error) => reject(new Error(JSON.stringify(error))))
        socket.once('activeSessionsData', () => resolve())
        socket.once('connect', () => socket.emit('subscribeToCourse', { course_id: course }))
      })
    }),
  )
  return { watching: count }
}

/**
 * Each at a moment of their own within `ms`; every tenth presses the button twice. Latency counts from the moment at
 * which they wanted to.
 */
async function checkIn(count: number, session: string, ms: number): Promise<object> {
  for (let n = 0; n < count; n++) await tokenOf(n)
  const path = `/api/v1/attendance-sessions/${session}`
  const teacher = await tokenFor('teacher', 'tea', org)
  const screen = async (): Promise<string> => JSON.parse((await ask('GET', `${path}/code`, teacher)).text).data.code
  let code = await screen()
  let again = 0
  const statuses = new Map<number, number>()
  const latencies: number[] = []
  const started = performance.now()
  const one = async (n: number, dueAt: number): Promise<void> => {
    const press = async (): Promise<number> =>
      (await ask('POST', `${path}/check-in`, tokens.get(n) ?? '', JSON.stringify({ code }))).status
    let status = await press()
    // On a machine that is busy with others a code may be over before it is heard, or the line too long: students look
    // up and press again.
    for (let n = 0; n < 5 && (status === 403 || status === 503); n++) {
      again++
      if (status === 403) code = await screen()
      status = await press()
    }
    latencies.push(performance.now() - dueAt)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  const presses = Array.from({ length: count }, (_, n) => (n % 10 === 0 ? [n, n] : [n])).flat()
  const moments = presses.map((n) => ({ n, dueAt: started + Math.random() * ms })).sort((a, b) => a.dueAt - b.dueAt)
  const under: Promise<void>[] = []
  for (const { n, dueAt } of moments) {
    const waitMs = dueAt - performance.now()
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
    under.push(one(n, dueAt))
  }
  const sentMs = performance.now() - started
  await Promise.all(under)
  latencies.sort((a, b) => a - b)
  const at = (q: number): number => latencies[Math.ceil(q * latencies.length) - 1] ?? 0
  const took = { sentMs, tookMs: performance.now() - started, p50Ms: at(0.5), p99Ms: at(0.99) }
  return { presses: presses.length, again, statuses: Object.fromEntries(statuses), ...took }
}

function ask(method: string, path: string, token: string, body = ''): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const typed = body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const headers = { Authorization: `Bearer ${token}`, ...typed }
    const asked = request({ hostname, port, path, method, agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

/** What the watchers were told: the most in any second, and the last word of each. */
function watched(): object {
  let most = 0
  const last = new Set<string>()
  for (const mine of told) {
    for (let from = 1, to = 1; to < mine.length; to++) {
      while ((mine[to]?.at ?? 0) - (mine[from]?.at ?? 0) >= 1_000) from++ // the first one is the answer to subscribing
      most = Math.max(most, to - from + 1)
    }
    const data = mine.findLast(({ name }) => name === 'activeSessionsData')?.data
    last.add(JSON.stringify(data.activeSessions.map((one: { studentCount: number }) => one.studentCount)))
  }
  return { most, last: [...last], pushes: told[0]?.length ?? 0 }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, count = '0', id = '', ms = '0'] = line.split(' ')
  if (what === 'end') break
  try {
    const answer =
      what === 'watch'
        ? await watch(Number(count), id)
        : what === 'check-in'
          ? await checkIn(Number(count), id, Number(ms))
          : watched()
    process.stdout.write(`${JSON.stringify({ done: what, ...answer })}\n`)
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ done: what, failed: String(error) })}\n`)
  }
}
for (const socket of sockets) socket.close()
agent.destroy()
