import { type LyceumClient, connect as typed } from 'lyceum-client'
import { lessonsAfter } from 'lyceum-client/lesson'
import { io, type Socket } from 'socket.io-client'
import { tokenFor } from '../support/server.ts'

/** `official`: socket.io-client as it is; `resume`: the same with `resume=1`; `typed`: lyceum-client. */
export type Kind = 'official' | 'resume' | 'typed'
export const KINDS: readonly Kind[] = ['official', 'resume', 'typed']

export interface Somebody {
  readonly role: string
  readonly id: string
  readonly kind: Kind
  /** What it was pushed, once it had been let in. */
  readonly heard: readonly { readonly name: string; readonly data: Data }[]
  /** How often it was connected. */
  readonly arrivals: number
  /** Times that the official client told that it had recovered. */
  readonly recovered: number
  /** What the server has said in place of letting it in. */
  readonly refused: string
  isConnected(): boolean
  /** True when it was acknowledged; false when nobody knows. */
  ask(name: string, data: object): Promise<boolean>
  /** What it holds of a lesson, and of a course. */
  lesson(id: string): unknown
  course(id: string): unknown
  readonly client: LyceumClient | undefined
  close(): void
}

// biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes
type Data = any

const ACK_MS = 3_000

/** Behind the line at `url`; with the settings that the official client has by itself. */
export async function somebody(url: string, role: string, id: string, kind: Kind): Promise<Somebody> {
  const token = await tokenFor(role, id)
  const heard: { name: string; data: Data }[] = []
  let arrivals = 0
  let recovered = 0
  let refused = ''
  if (kind === 'typed') {
    const client = typed({ url, token, socket: { transports: ['websocket'] } })
    let was = false
    client.onChange(() => {
      if (client.isConnected && !was) arrivals++
      was = client.isConnected
    })
    for (const name of ['staff_send', 'visitor_send'] as const) client.on(name, (data) => heard.push({ name, data }))
    return {
      ...{ role, id, kind, heard, client },
      get arrivals() {
        return arrivals
      },
      recovered,
      refused: '',
      isConnected: () => client.isConnected,
      ask: (name, data) =>
        client.call(name as 'staff_join', data as { room: string }).then(
          () => true,
          () => false,
        ),
      lesson: (lesson) => client.held.lessons[lesson],
      course: (course) => client.held.courses[course],
      close: client.close,
    }
  }
  const socket: Socket = io(url, {
    forceNew: true,
    auth: { token },
    transports: ['websocket'],
    query: kind === 'resume' ? { resume: '1' } : {},
  })
  let lessons: ReturnType<typeof lessonsAfter> = {}
  const courses: Record<string, unknown> = {}
  const watched = new Set<string>()
  socket.onAny((name: string, data: Data) => {
    heard.push({ name, data })
    lessons = lessonsAfter(lessons, name, data)
    if (name === 'activeSessionsData') courses[data.course_id] = data.activeSessions
  })
  socket.on('connect_error', (error) => (refused = error.message))
  socket.on('connect', () => {
    refused = ''
    arrivals++
    if (socket.recovered) recovered++
    for (const course_id of watched) socket.emit('subscribeToCourse', { course_id }) // as its document says
  })
  return {
    ...{ role, id, kind, heard, client: undefined },
    get arrivals() {
      return arrivals
    },
    get recovered() {
      return recovered
    },
    get refused() {
      return refused
    },
    isConnected: () => socket.connected,
    ask(name, data) {
      if (name === 'subscribeToCourse') watched.add((data as { course_id: string }).course_id)
      if (!socket.connected) return Promise.resolve(false)
      return socket
        .timeout(ACK_MS)
        .emitWithAck(name, data)
        .then(
          (ok: unknown) => ok === true,
          () => false,
        )
    },
    lesson: (lesson) => lessons[lesson],
    course: (course) => courses[course],
    close: () => void socket.close(),
  }
}
