import { type Client, connect } from './client.ts'
import { type Answered, call } from './lessons.ts'
import { type TestServer, tokenFor } from './server.ts'

type Url = Pick<TestServer, 'url'>

/**
 * An organisation with one course on a running server: its own, so that tests that share the server never hear each
 * other.
 */
export interface School {
  readonly org: string
  readonly course: string
  /** One request as this person, `[role, id]`. */
  as(who: Who, method: string, path: string, body?: unknown, key?: string): Promise<Answered>
  /** A client of contract 004, with the token in `auth.token` and protocol 2. */
  come(who: Who, options?: Parameters<typeof connect>[1]): Promise<Client>
  enrol(...students: string[]): Promise<void>
  /** A session of the course, started by the teacher. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert what is in it
  start(plan?: object): Promise<any>
  /** What teachers read of a session. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  report(session: string): Promise<any>
  /** By its current code. */
  checkIn(session: string, student: string): Promise<Answered>
  mark(session: string, student: string, status: string, reason?: string): Promise<Answered>
  end(session: string): Promise<Answered>
  close(): void
}

export type Who = readonly [role: string, id: string, org?: string]
export const TEA: Who = ['teacher', 'tea']

let schools = 0

/** `existing`: a school that was there before a restart, or on another node. */
export async function school(
  server: Url,
  existing?: { readonly org: string; readonly course: string },
): Promise<School> {
  const org = existing?.org ?? `school${process.pid}-${++schools}`
  const clients: Client[] = []
  const tokens = new Map<string, Promise<string>>()
  const tokenOf = ([role, id, of = org]: Who): Promise<string> => {
    const name = `${role} ${of}.${id}`
    const token = tokens.get(name) ?? tokenFor(role, id, of)
    tokens.set(name, token)
    return token
  }
  const as: School['as'] = async (who, method, path, body, key) =>
    call(server.url, await tokenOf(who), method, path, body, key)
  const made = async (answer: Promise<Answered>): Promise<Answered> => {
    const { status, body } = await answer
    if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
    return { status, body }
  }
  const course: string =
    existing?.course ?? (await made(as(TEA, 'POST', '/courses', { title: 'Algebra' }))).body.data.id
  const at = (session: string, more = ''): string => `/courses/${course}/attendance-sessions/${session}${more}`

  return {
    org,
    course,
    as,
    async come(who, options = {}) {
      const token = await tokenOf(who)
      const client = await connect(server.url, { auth: { token }, query: { protocol: '2' }, ...options })
      clients.push(client)
      return client
    },
    async enrol(...students) {
      await Promise.all(
        students.map((student_id) => made(as(TEA, 'POST', `/courses/${course}/enrollments`, { student_id }))),
      )
    },
    start: async (plan = {}) => (await made(as(TEA, 'POST', `/courses/${course}/attendance-sessions`, plan))).body.data,
    report: async (session) => (await made(as(TEA, 'GET', at(session)))).body.data,
    async checkIn(session, student) {
      const { code } = (await made(as(TEA, 'GET', at(session, '/code')))).body.data
      return as(['student', student], 'POST', at(session, '/check-in'), { code })
    },
    mark: (session, student_id, status, reason) =>
      as(TEA, 'POST', at(session, '/marks'), { student_id, status, ...(reason === undefined ? {} : { reason }) }),
    end: (session) => as(TEA, 'POST', at(session, '/end')),
    close() {
      for (const client of clients.splice(0)) client.close()
    },
  }
}

/** Counts by session, as the latest `activeSessionsData` of this client says. */
export function held(client: Client, course: string): Record<string, number> | undefined {
  const latest = client.all('activeSessionsData').findLast((data) => data.course_id === course)
  return latest && countsOf(latest)
}

export function countsOf(data: {
  activeSessions: readonly { sessionId: string; studentCount: number }[]
}): Record<string, number> {
  return Object.fromEntries(data.activeSessions.map(({ sessionId, studentCount }) => [sessionId, studentCount]))
}
