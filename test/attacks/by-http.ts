import { randomBytes, randomUUID } from 'node:crypto'
import { type Attacking, again, beside, everybody } from './attacking.ts'

/** Asks again and again, some at once. */
const asking =
  (ask: (it: Attacking, n: number, lane: number) => Promise<unknown>, atOnce = 8) =>
  (it: Attacking): Promise<void> => {
    let n = 0
    return everybody(it, async (lane) => {
      while (!it.isOver()) await Promise.all(Array.from({ length: atOnce }, () => ask(it, n++, lane)))
    })
  }

/** A body of 2 MB before anybody has looked at a token, a little at a time. */
export const tricklingBodies = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.tcp(),
      async (raw) => {
        raw.socket.resume()
        await raw.write(
          `POST /api/v1/lessons HTTP/1.1\r\nHost: ${it.host}\r\nContent-Type: application/json\r\n` +
            'Content-Length: 2000000\r\n\r\n',
        )
        for (let n = 0; n < 100 && raw.isOpen() && !it.isOver(); n++) {
          await Promise.race([raw.write('x'.repeat(19_000)), it.rest(500)])
          await it.rest(20)
        }
        await Promise.race([raw.closed, it.rest(Number.POSITIVE_INFINITY)])
      },
    ),
  )

export const slowHeaders = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.tcp(),
      async (raw) => {
        raw.socket.resume()
        await raw.write(`GET /livez HTTP/1.1\r\nHost: ${it.host}\r\n`)
        while (raw.isOpen() && !it.isOver()) {
          await raw.write(`X-${randomBytes(4).toString('hex')}: x\r\n`)
          await it.rest(200)
        }
      },
    ),
  )

export const hugeHeaders = asking((it) =>
  it.http('GET', '/api/v1/chats', { headers: { 'X-Large': 'x'.repeat(15_000) } }),
)
/** Whoever knows the password, at another address than those who do not. */
const rightPassword = async ({ url, world, blame }: Attacking): Promise<void> => {
  const body = JSON.stringify({ ...world.login, org_id: world.org })
  const headers = { 'Content-Type': 'application/json' }
  const { status } = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers, body })
  if (status !== 200) blame(`a log-in with the right password: ${status}`)
}
const wrongs = asking(
  ({ http, world }, n) =>
    http('POST', '/api/v1/auth/login', {
      body: { email: world.login.email, password: `wrong ${n}`, org_id: world.org },
    }),
  4,
)
export const wrongPasswords = beside(wrongs, rightPassword)
export const hashes = asking(
  ({ http }, n) =>
    http('POST', '/api/v1/auth/login', { body: { email: `nobody${n}@acme.example`, password: 'x'.repeat(512) } }),
  20,
)
export const visitorTokens = asking(({ http, world }) =>
  http('POST', '/api/v1/auth/visitor', { body: { org_id: world.org } }),
)
export const idempotencyKeys = asking(async ({ http, token }, n, lane) =>
  http('POST', '/api/v1/lessons', {
    ...{ token: await token('teacher', `mallory-${lane}`), headers: { 'Idempotency-Key': randomUUID() } },
    body: { title: `x${n}`, starts_at: '2030-01-01T00:00:00Z', planned_minutes: 45 },
  }),
)
export const deepBodies = asking(async ({ http, token }, n, lane) => {
  let deep: unknown = 1
  for (let depth = 0; depth < 2_000; depth++) deep = [deep]
  const headers = { 'Idempotency-Key': `k${n}` }
  return http('POST', '/api/v1/lessons', {
    token: await token('teacher', `mallory-${lane}`),
    headers,
    body: { title: deep },
  })
})

const ODD_QUERIES = [
  ...['limit=1000&after=99999999999999%2F%00', 'from=0&to=99999999999999', 'state=open&state=closed', 'limit=-1'],
  ...[
    'limit=1e9',
    `staff=${'x'.repeat(4_000)}`,
    'visitor[]=x',
    '__proto__=x',
    'from=9999-99-99',
    'after=%ff',
    'limit=0x10',
  ],
]
export const oddQueries = asking(async ({ http, token }, n, lane) =>
  http('GET', `/api/v1/chats?${ODD_QUERIES[n % ODD_QUERIES.length]}`, {
    token: await token('admin', `mallory-${lane}`),
  }),
)
const VERBS = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']
export const verbs = asking(async ({ http, token, world }, n, lane) =>
  http(VERBS[n % VERBS.length] ?? '', `/api/v1/courses/${world.course}`, {
    token: await token('student', `mallory-${lane}`),
  }),
)
export const hosts = asking(({ http }, n) =>
  http('GET', '/api/v1/openapi.json', { headers: { Host: `evil${n}.example` } }),
)
const forged = asking(({ http, world }, n) =>
  http('POST', '/api/v1/auth/login', {
    ...{
      headers: {
        'X-Forwarded-For': `10.${n % 250}.${(n >> 8) % 250}.1, 127.0.0.1`,
        Forwarded: `for=10.0.0.${n % 250}`,
      },
    },
    body: { email: world.login.email, password: `wrong ${n}` },
  }),
)
export const forwarded = beside(forged, rightPassword)
export const tickets = asking(({ http }) =>
  http('GET', `/api/v1/users/stream/ticket.${randomBytes(32).toString('base64url')}`),
)

/** Wrong codes of lessons by those who have no account: for the connection's end each comes again. */
const wrongCodes = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.stranger({ query: 'role=student' }),
      async (raw) => {
        raw.socket.resume()
        await raw.send('40')
        await it.rest(20)
        for (let n = 0; n < 6; n++)
          await raw.send(`42${n}["join_lesson",{"code":"${randomBytes(4).toString('hex').toUpperCase()}","name":"x"}]`)
        await it.rest(20)
      },
    ),
  )

/** A guest who has the code, behind the same proxy. */
const rightCode = async (it: Attacking): Promise<void> => {
  const raw = await it.stranger({ query: 'role=student' })
  const ack = new Promise<string>((resolve) => {
    raw?.onText((text) => {
      if (text.startsWith('437')) resolve(text)
    })
    void it.rest(2_500).then(() => resolve('no answer'))
  })
  await raw?.send('40')
  await it.rest(100)
  await raw?.send(`427["join_lesson",{"code":"${it.world.lesson.code}","name":"guest"}]`)
  if (raw === null) it.blame('a guest cannot connect')
  else if (!(await ack).startsWith('437[true')) it.blame(`a guest with the right code: ${await ack}`)
}
export const lessonCodes = beside(wrongCodes, rightCode)

/** Answers of a megabyte, asked for behind each other, never read. */
export async function unreadAnswers(it: Attacking): Promise<void> {
  const token = await it.token('supervisor', 'mallory')
  await everybody(it, () =>
    again(
      it,
      () => it.tcp(),
      async (raw) => {
        raw.socket.pause()
        const room = it.world.rooms[0]
        const head = `HTTP/1.1\r\nHost: ${it.host}\r\nAuthorization: Bearer ${token}\r\n\r\n`
        const ask = `GET /api/v1/chats/${room}/events?limit=1000 ${head}`
        const large = `GET /api/v1/openapi.json ${head}`
        for (let n = 0; n < 100 && raw.isOpen() && !it.isOver(); n++) {
          await Promise.race([raw.write(ask.repeat(5) + large.repeat(5)), it.rest(200)])
          await it.rest(20)
        }
      },
    ),
  )
}

/** Streams of events that are opened and not read, while their person's projects change. */
export async function unreadStreams(it: Attacking): Promise<void> {
  const [token, other] = [await it.token('agent', 'mallory'), await it.token('agent', 'mallet')]
  const number = (await it.http('GET', '/api/v1/users/me', { token })).body?.data?.number
  const project = (await it.http('POST', '/api/v1/projects', { token: other, body: { title: 'x' } })).body?.data?.id
  await it.http('POST', `/api/v1/projects/${project}/participants`, { token: other, body: { user_id: number } })
  await everybody(it, async () => {
    const raw = await it.tcp()
    raw.socket.pause()
    await raw.write(`GET /api/v1/users/stream/${token} HTTP/1.1\r\nHost: ${it.host}\r\n\r\n`)
  })
  const rename = (): Promise<unknown> =>
    it.http('PATCH', `/api/v1/projects/${project}`, {
      token: other,
      body: { title: randomBytes(100).toString('hex').slice(0, 200) },
    })
  while (!it.isOver()) await Promise.all(Array.from({ length: 8 }, rename))
}
