import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect } from '../test/support/client.ts'
import { LARGE, recordLarge } from '../test/support/large.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median, quantile } from './figures.ts'

/** What is heavy, and what lists much, by the name of the line. */
const HEAVY: Readonly<Record<string, string>> = {
  'events of a long chat': `/chats/${LARGE.chat}/events?limit=1000`,
  'a chat of 10 MB': '/chats/heavy-chat',
  'a transcript': `/chats/${LARGE.chat}`,
  'everybody in a lesson of 4,000': `/lessons/${LARGE.lesson}/participants`,
  'a report of 4,000 marks': `/attendance-sessions/${LARGE.session}`,
  'attendance as CSV': `/courses/${LARGE.course}/attendance.csv`,
  'progress of 10,000 students as CSV': `/courses/${LARGE.course}/progress.csv`,
  projects: '/projects?limit=200',
  'courses of 1,000 to 10,000 students': '/courses?limit=200',
  chats: '/chats?limit=200',
  'who is here': '/presence?limit=1000',
}
const ASKERS = 8
const OTHERS = 10
const ROUNDS = 6
const ROUND_MS = 700
const PAUSE_MS = 4

/**
 * How long others wait for their acks while eight people ask for one heavy thing after another, beside how long they
 * wait without: in turns, round by round.
 */
export async function fairAnswers(): Promise<readonly Figure[]> {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-fair-'))
  await recordLarge(data)
  const server = await startServer({ data, env: NO_LIMITS })
  const others: Client[] = []
  try {
    const tokens = await Promise.all(Array.from({ length: ASKERS }, (_, n) => tokenFor('admin', `ada${n}`, 'big')))
    const answered = (path: string, token: string): Promise<number> =>
      new Promise((resolve, reject) => {
        get(`${server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } }, (response) => {
          response.resume()
          response.once('close', () => resolve(response.statusCode ?? 0))
        }).on('error', reject)
      })
    while ((await answered('/courses', tokens[0] ?? '')) !== 200);
    for (let n = 0; n < OTHERS; n++)
      others.push(await connect(server.url, { auth: { token: await tokenFor('visitor', `v${n}`, 'small') } }))
    const figures: Figure[] = []
    for (const [name, path] of Object.entries(HEAVY)) {
      const without: number[] = []
      const during: number[] = []
      let answers = 0
      let refused = 0
      for (let round = 0; round <= ROUNDS; round++) {
        const alone = await acks(others)
        let isOver = false
        const asking = tokens.map(async (token) => {
          while (!isOver) {
            const status = await answered(path, token)
            if (status === 200) answers++
            else {
              refused++
              await new Promise((passed) => setTimeout(passed, 100))
            }
          }
        })
        const beside = await acks(others)
        isOver = true
        await Promise.all(asking)
        if (round === 0) continue // warm
        without.push(...alone)
        during.push(...beside)
      }
      const [one, other] = [quantile(without, 0.99), quantile(during, 0.99)]
      const all = `${answers} answers${refused === 0 ? '' : `, ${refused} others`}`
      const rest = `${all}; p50 ${median(during).toFixed(1)} ms`
      figures.push({
        name: `p99 of others’ acks beside ${name}`,
        value: other / one,
        unit: '×',
        target: atMost(1.5),
        note: `${other.toFixed(1)} against ${one.toFixed(1)} ms; ${rest}`,
      })
    }
    return figures
  } finally {
    for (const client of others) client.close()
    await server.stop()
    await rm(data, { recursive: true, force: true })
  }
}

/** Of a round, milliseconds each. */
async function acks(others: readonly Client[]): Promise<number[]> {
  const waits: number[] = []
  const until = performance.now() + ROUND_MS
  await Promise.all(
    others.map(async (client) => {
      while (performance.now() < until) {
        const asked = performance.now()
        await client.ask('visitor_msg', { content: { text: 'Where do I find it?' } })
        waits.push(performance.now() - asked)
        await new Promise((passed) => setTimeout(passed, PAUSE_MS))
      }
    }),
  )
  return waits
}
