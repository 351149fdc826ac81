import { randomUUID } from 'node:crypto'
import { io, type Socket } from 'socket.io-client'
import type { Acked, Connection, Push } from '../support/history-checker.ts'
import { tokenFor } from '../support/server.ts'

/**
 * A client as one should be written: it does not wait for an answer before it sends the next call, it comes back by
 * itself, and it repeats what was not acknowledged under the same `client_id`, in the order in which it was first sent.
 * A call that is refused for the moment is repeated alone a little later, behind what was sent after it.
 */
export interface Tireless {
  readonly name: string
  readonly socket: Socket
  /**
   * Resolves when the server has said yes or a final no; repeats over lost connections and answers that ask for a
   * repeat.
   */
  call(event: string, data: Record<string, unknown>): Promise<Answered>
  /** A message: `content.call` is the name of the call, by which the checker finds it in the log. */
  write(event: string, data?: Record<string, unknown>): Promise<Answered>
  readonly acked: readonly Acked[]
  readonly connections: readonly Connection[]
  /** What was refused so far, repeated or not: how often, by code. */
  readonly refusals: ReadonlyMap<string, number>
  /** Why connections ended, in their order. */
  readonly endings: readonly string[]
  connected(): boolean
  /** The names of the events that have no answer yet. */
  waiting(): readonly string[]
  /** Goes to this server from the next connection on. */
  moveTo(url: string): void
  /** Leaves as somebody does who shuts the page. */
  close(): void
  /** Leaves as somebody does whose network is gone. */
  vanish(): void
}

export interface Answered {
  readonly ok: boolean
  readonly error: string | null
  /** Of the refusal; `left` = the client itself left before it had an answer; undefined when it was a yes. */
  readonly code: string | undefined
  readonly room: string
  readonly seq: number
}

export interface TirelessOptions {
  readonly url: string
  readonly role: 'visitor' | 'agent' | 'supervisor' | 'admin'
  readonly name: string
  readonly org?: string
  /** True for somebody who must hear everything: see `Connection.allAfter`. */
  readonly hearsAll?: boolean
}

interface Pending {
  readonly event: string
  readonly data: Record<string, unknown>
  readonly id: string
  readonly sent: number
  wasRefused: boolean
  readonly resolve: (answered: Answered) => void
}

/** Refusals that say: repeat. */
const PASSING = new Set(['busy', 'overloaded', 'unavailable', 'rate-limited', 'draining', 'internal'])
const AGAIN_MS = 40
/** What whoever has left is answered: also what they ask after that. */
const LEFT: Answered = { ok: false, error: 'left', code: 'left', room: '', seq: -1 }

export async function tireless({
  url,
  role,
  name,
  org = 'acme',
  hearsAll = false,
}: TirelessOptions): Promise<Tireless> {
  const socket = io(url, {
    auth: { token: await tokenFor(role, name, org) },
    query: { protocol: '2' },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 30,
    reconnectionDelayMax: 250,
    // The default of 20 s is longer than the grace: about once in 200 restarts an attempt at the moment of a kill is
    // never answered.
    timeout: 4_000,
  })
  /** In the order in which they were first sent. */
  const pending = new Map<string, Pending>()
  let sent = 0
  const acked: Acked[] = []
  const connections: { client: string; pushes: Push[]; allAfter: bigint | null }[] = []
  const refusals = new Map<string, number>()
  const endings: string[] = []
  const timers = new Set<NodeJS.Timeout>()
  let closed = false

  const later = (work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, AGAIN_MS)
    timers.add(timer)
  }

  const send = (call: Pending): void => {
    if (!socket.connected || closed) return // sent with the next connection
    socket.emit(
      call.event,
      call.data,
      (ok: boolean, error: string | null, place: { room: string; code?: string; id: string; seq: number }) => {
        if (!pending.has(call.id)) return
        if (!ok) refusals.set(place.code ?? '', (refusals.get(place.code ?? '') ?? 0) + 1)
        if (!ok && PASSING.has(place.code ?? '')) {
          call.wasRefused = true
          return later(() => send(call))
        }
        pending.delete(call.id)
        const { id, wasRefused } = call
        if (ok)
          acked.push({
            client: name,
            call: id,
            room: place.room,
            seq: place.seq,
            id: place.id,
            sent: call.sent,
            wasRefused,
          })
        call.resolve({ ok, error, code: place.code, room: place.room, seq: place.seq })
      },
    )
  }

  socket.on('connect', () => {
    connections.push({ client: name, pushes: [], allAfter: null })
    for (const call of pending.values()) send(call)
  })
  socket.on('disconnect', (reason) => endings.push(reason))
  // Turned away by the server itself ("try again"): Socket.IO leaves coming back to its user.
  socket.on('connect_error', ({ message }) => {
    if (message === 'timeout') refusals.set('connect-timeout', (refusals.get('connect-timeout') ?? 0) + 1)
    if (!socket.active && !closed) later(() => socket.connect())
  })
  socket.onAny((event: string, data: { room?: string | { id: string }; id?: string; seq?: number; pos?: string }) => {
    const connection = connections.at(-1)
    if (!connection || data === undefined) return
    if (event === 'staff_init' && hearsAll) connection.allAfter = BigInt(data.pos ?? -1)
    const room = typeof data.room === 'string' ? data.room : data.room?.id
    if (room === undefined || data.id === undefined || event === 'replay_event') return
    connection.pushes.push({ name: event, room, seq: data.seq ?? -1, id: data.id, pos: BigInt(data.pos ?? -1) })
  })

  const call = (event: string, data: Record<string, unknown>, id: string): Promise<Answered> =>
    new Promise((resolve) => {
      if (closed) return resolve(LEFT)
      const one = { event, data: { ...data, client_id: id }, id, sent: sent++, wasRefused: false, resolve }
      pending.set(id, one)
      send(one)
    })

  const end = (): void => {
    closed = true
    for (const timer of timers) clearTimeout(timer)
    for (const { resolve } of pending.values()) resolve(LEFT)
    pending.clear()
  }

  return {
    name,
    socket,
    call: (event, data) => call(event, data, randomUUID()),
    write(event, data = {}) {
      const id = randomUUID()
      return call(event, { ...data, content: { call: id, text: `from ${name}` } }, id)
    },
    acked,
    connections,
    refusals,
    endings,
    connected: () => socket.connected,
    waiting: () => [...pending.values()].map(({ event }) => event),
    moveTo(other) {
      // private, but there is no other way to keep the socket and its calls
      const manager = socket.io as unknown as { uri: string }
      manager.uri = other
    },
    close() {
      end()
      socket.close()
    },
    vanish() {
      end()
      socket.io.reconnection(false)
      socket.io.engine.close() // without the packet that says goodbye, unlike socket.close()
    },
  }
}
