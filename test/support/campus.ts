import { type Company, company, type Transport } from '../contracts/company.ts'
import { type Client, connect } from './client.ts'
import { type Answered, call } from './lessons.ts'
import { type TestServer, tokenFor } from './server.ts'

/** A course of an organisation of its own, with a video, its teacher `tea`, and students who are enrolled. */
export interface Campus {
  readonly org: string
  readonly course: string
  readonly video: string
  readonly company: Company
  /** A client of this person; its e-mail is `<id>@acme.example` unless `claims` say otherwise. */
  come(role: string, id: string, options?: object, claims?: object): Promise<Client>
  /** A request of this person below the course. */
  ask(
    who: readonly [role: string, id: string],
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<Answered>
  enrol(...ids: readonly string[]): Promise<void>
  addVideo(body?: object): Promise<string>
  close(): void
}

export const TEA = ['teacher', 'tea'] as const

interface CampusOptions {
  readonly transport?: Transport
  readonly students?: readonly string[]
  /** The same course, on another node. */
  readonly as?: Campus
}

export async function campus(
  server: TestServer,
  { transport = 'websocket', students = ['stu', 'sue'], as }: CampusOptions = {},
): Promise<Campus> {
  const its = company(server, transport, as?.org)
  const clients: Client[] = []
  const tokenOf = (role: string, id: string, claims: object = {}) =>
    tokenFor(role, id, its.org, { email: `${id}@acme.example`, ...claims })
  const create = async (): Promise<string> =>
    (await call(server.url, await tokenOf(...TEA), 'POST', '/courses', { title: 'Fractions' })).body.data.id
  const course = as?.course ?? (await create())
  const ask: Campus['ask'] = async ([role, id], method, path, body, key) =>
    call(server.url, await tokenOf(role, id), method, `/courses/${course}${path}`, body, key)
  const campus: Omit<Campus, 'video'> = {
    ...{ org: its.org, course, company: its, ask },
    async come(role, id, options = {}, claims = {}) {
      const token = await tokenOf(role, id, claims)
      const client = await connect(server.url, { transports: [transport], auth: { token }, ...options })
      clients.push(client)
      return client
    },
    async enrol(...ids) {
      for (const student_id of ids) await ask(TEA, 'POST', '/enrollments', { student_id })
    },
    async addVideo(body = { title: 'Halves', duration_seconds: 600 }) {
      return (await ask(TEA, 'POST', '/videos', body)).body.data.id as string
    },
    close() {
      for (const client of clients.splice(0)) client.close()
      its.close()
    },
  }
  if (as) return { ...campus, video: as.video }
  await campus.enrol(...students)
  return { ...campus, video: await campus.addVideo() }
}

/** What `video_progress` takes. */
export const progress = ({ course, video }: Campus, timestamp: number, percent = 10) => ({
  video_id: video,
  course_id: course,
  progress: percent,
  timestamp,
})
