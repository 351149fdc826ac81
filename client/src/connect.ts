import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import { Admission } from './admission.ts'
import type { Calls, Events } from './events.ts'
import { type Done, Outbox } from './outbox.ts'
import type { Refused } from './refused.ts'
import { type Held, State } from './state.ts'

export interface ConnectOptions {
  /** Of the server: `https://host`. */
  readonly url: string
  /**
   * The token, or what gets one whenever it connects: a fresh one each time keeps it connected for as long as it
   * likes. When it rejects, or what it gives is not taken, it is asked again, after growing pauses.
   */
  readonly token?: string | (() => string | Promise<string>)
  /** Hints of the handshake: `role`, `lesson_id`, `product_type`. */
  readonly query?: Readonly<Record<string, string>>
  /** Where it stood, from `snapshot()` of an earlier client: it is told what came since. */
  readonly from?: Snapshot
  /** Further options of socket.io-client. */
  readonly socket?: Partial<ManagerOptions & SocketOptions>
}

/** What has to be kept to go on later: JSON. */
export interface Snapshot {
  readonly cursor: string
  readonly held: Held
}

/** A connection that misses nothing and asks once. */
export interface LyceumClient {
  /** What it holds now, kept true by what it is told. */
  readonly held: Held
  readonly isConnected: boolean
  /** Why the server does not let it in, for good; undefined as long as it may. Calls are rejected with it. */
  readonly refused: Refused | undefined
  /** Calls that have no answer yet. */
  readonly waiting: number
  /**
   * Asks; repeated over lost connections until it is answered, and happens once. Rejects with `Refused`, or when the
   * client is closed.
   */
  call<Name extends keyof Calls>(name: Name, data: Calls[Name]): Promise<Done>
  /** Each push once, after `held` shows it. Gives what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: (data: Events[Name]) => void): () => void
  /** Called after every change of `held`, `isConnected` and `refused`. */
  onChange(listener: () => void): () => void
  /** Undefined before it was told anything that it could go on from. */
  snapshot(): Snapshot | undefined
  /** Leaves for good. */
  close(): void
}

/** What is a connection's own as long as the server does not recover it: how it is entered, and how it is left. */
const ENTERED_BY: Readonly<Partial<Record<keyof Calls, keyof Calls>>> = {
  subscribeToCourse: 'unsubscribeFromCourse',
  join_course: 'leave_course',
  join_video: 'leave_video',
}

/** Connects, and goes on whatever happens to the connection, until it is closed. */
export function connect({ url, token, query = {}, from, socket: more = {} }: ConnectOptions): LyceumClient {
  const state = new State(from?.held)
  const listeners = new Map<string, Set<(data: never) => void>>()
  const watchers = new Set<() => void>()
  /** What was entered and not left: a new connection has to ask for it again. */
  const entered = new Map<string, readonly [name: string, data: object]>()
  let cursor = from?.cursor
  let closed = false
  let refused: Refused | undefined

  const socket = io(url, {
    forceNew: true,
    ...more,
    query: { ...query, resume: '1', protocol: '2' },
    auth: (send) => {
      const after = cursor === undefined ? {} : { after: cursor }
      void admission.present(socket, (token) => send({ ...token, ...after }))
    },
  })
  const outbox = new Outbox((name, data, answer) => void socket.emit(name, data, answer))

  const admission = new Admission({
    token,
    refused(why) {
      refused = why
      outbox.end(why)
      changed()
    },
  })

  const changed = (): void => {
    for (const watch of watchers) watch()
  }

  socket.onAny((name: string, data: Events[keyof Events], told: unknown) => {
    const isNew = state.apply(name, data)
    if (typeof told === 'string') cursor = told
    if (name === 'cursor_unknown') cursor = undefined
    if (!isNew) return
    if (FAREWELLS.has(name)) entered.delete(nameOf(data as Farewell))
    for (const listen of listeners.get(name) ?? []) listen(data as never) // of its own name
    if (name === 'staff_init') for (const { room } of (data as Events['staff_init']).own_chats) askContents(room.id)
    changed()
  })
  /** It may have been handed on meanwhile: then it is refused, and there is nothing to tell. */
  const askContents = (room: string): void => {
    if (!(room in state.held.ownMessages)) outbox.call('staff_join', { room, again: true }).catch(() => {})
  }
  socket.on('connect', () => {
    admission.letIn()
    if (!socket.recovered) for (const [name, data] of entered.values()) socket.emit(name, data)
    outbox.open()
    changed()
  })
  socket.on('connect_error', (error) => admission.turnedAway(socket, error))
  socket.on('disconnect', () => {
    outbox.shut()
    changed()
  })

  return {
    get held() {
      return state.held
    },
    get isConnected() {
      return socket.connected
    },
    get refused() {
      return refused
    },
    get waiting() {
      return outbox.size
    },
    call(name, data) {
      if (closed) return Promise.reject(new Error('the client is closed'))
      if (refused) return Promise.reject(refused)
      const its = data as Subject
      const isEntering = name in ENTERED_BY
      const left = Object.entries(ENTERED_BY).find(([, leave]) => leave === name)?.[0]
      const done = outbox.call(name, data)
      if (isEntering) done.then(() => void entered.set(nameOf({ ...its, event: name }), [name, data]), NOTHING)
      if (left) done.then(() => void entered.delete(nameOf({ ...its, event: left })), NOTHING)
      return done
    },
    on(name, listener) {
      const its = listeners.get(name) ?? new Set()
      listeners.set(name, its.add(listener as (data: never) => void))
      return () => void its.delete(listener as (data: never) => void)
    },
    onChange(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
    snapshot: () => (cursor === undefined ? undefined : { cursor, held: state.held }),
    close() {
      closed = true
      admission.end()
      outbox.end(new Error('the client was closed before it was answered'))
      socket.close()
    },
  }
}

/** What somebody is told who is taken out. */
const FAREWELLS: ReadonlySet<string> = new Set(['error', 'activeSessionsError'])

interface Subject {
  readonly course_id?: string
  readonly video_id?: string
}

interface Farewell extends Subject {
  /** Of attendance, which does not say so: `subscribeToCourse`. */
  readonly event?: string
}

/** Of something that was entered. A video is known by its own id, whether or not its course is named as well. */
const nameOf = ({ event = 'subscribeToCourse', course_id, video_id }: Farewell): string =>
  `${event} ${video_id ?? course_id}`

const NOTHING = (): void => {}
