import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import type { Calls, Events } from './events.ts'
import { type Done, Outbox } from './outbox.ts'
import { type Held, State } from './state.ts'

export interface ConnectOptions {
  /** Of the server: `https://host`. */
  readonly url: string
  /**
   * The token, or what gets one whenever it connects: a fresh one each time keeps it connected for as long as it
   * likes.
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
  /** Calls that have no answer yet. */
  readonly waiting: number
  /**
   * Asks; repeated over lost connections until it is answered, and happens once. Rejects with `Refused`, or when the
   * client is closed.
   */
  call<Name extends keyof Calls>(name: Name, data: Calls[Name]): Promise<Done>
  /** Each push once, after `held` shows it. Gives what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: (data: Events[Name]) => void): () => void
  /** Called after every change of `held` and of `isConnected`. */
  onChange(listener: () => void): () => void
  /** Undefined before it was told anything that it could go on from. */
  snapshot(): Snapshot | undefined
  /** Leaves for good. */
  close(): void
}

/** What is a connection's own: how it is entered, and how it is left. */
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

  const socket = io(url, {
    forceNew: true,
    ...more,
    query: { ...query, resume: '1', protocol: '2' },
    auth: (send) => void tokenNow().then((now) => send({ ...now, ...(cursor === undefined ? {} : { after: cursor }) })),
  })
  const outbox = new Outbox((name, data, answer) => void socket.emit(name, data, answer))

  async function tokenNow(): Promise<{ readonly token?: string }> {
    const now = typeof token === 'function' ? await token() : token
    return now === undefined ? {} : { token: now }
  }

  const changed = (): void => {
    for (const watch of watchers) watch()
  }

  socket.onAny((name: string, data: Events[keyof Events], told: unknown) => {
    const isNew = state.apply(name, data)
    if (typeof told === 'string') cursor = told
    if (name === 'cursor_unknown') cursor = undefined
    if (!isNew) return
    for (const listen of listeners.get(name) ?? []) listen(data as never) // of its own name
    if (name === 'staff_init') for (const { room } of (data as Events['staff_init']).own_chats) askContents(room.id)
    changed()
  })
  /**
   * Who claims again is told what is in the chat. It may have been handed on meanwhile: then there is nothing to tell.
   */
  const askContents = (room: string): void => {
    if (!(room in state.held.ownMessages)) outbox.call('staff_join', { room }).catch(() => {})
  }
  socket.on('connect', () => {
    for (const [name, data] of entered.values()) socket.emit(name, data)
    outbox.open()
    changed()
  })
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
    get waiting() {
      return outbox.size
    },
    call(name, data) {
      const { course_id, video_id } = data as { readonly course_id?: string; readonly video_id?: string }
      const about = course_id ?? video_id
      const leaving = ENTERED_BY[name]
      if (leaving) entered.set(`${leaving} ${about}`, [name, data])
      else entered.delete(`${name} ${about}`)
      if (closed) return Promise.reject(new Error('the client is closed'))
      return outbox.call(name, data)
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
      outbox.end()
      socket.close()
    },
  }
}
