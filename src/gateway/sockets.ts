import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { isStaff, type Party, Refusal } from '../../machines/kernel.ts'
import type { Clock } from '../clock.ts'
import type { Fanout } from '../delivery/fanout.ts'
import type { PresenceKeeper } from '../presence/keeper.ts'
import type { Rooms } from '../runtime/rooms.ts'
import { type Authenticator, AuthFailure, type Identity, partyOf } from './auth.ts'
import type { Emits, Session } from './emits.ts'
import { gatherWrites } from './gathered-writes.ts'
import { contradicts, handshakes, originAllowed } from './handshake.ts'
import { roomsFor, sendAway } from './outlets.ts'
import { encodeQuickly } from './packets.ts'
import type { Replays } from './replays.ts'
import { tokenFrom } from './tokens.ts'

/** A frame may be this large; content is limited far below (64 KiB) and refused with an answer, while a larger frame ends the connection. */
const MAX_FRAME_BYTES = 2_500_000
const ARRIVAL_MS = 15_000

export interface SocketsOptions {
  readonly http: HttpServer
  readonly auth: Authenticator
  readonly allowedOrigins: readonly string[]
}

/** The Socket.IO server with its doors: origins, tokens on the handshake. Nobody is let in before `serveSockets`. */
export function openSockets({ http, auth, allowedOrigins }: SocketsOptions): { io: Server; handshake: ReturnType<typeof handshakes> } {
  const handshake = handshakes(auth)
  const io = new Server(http, {
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: MAX_FRAME_BYTES,
    connectTimeout: ARRIVAL_MS,
    cors: { origin: [...allowedOrigins], credentials: true },
    allowRequest: ({ headers }, decide) => decide(null, originAllowed(headers.origin, headers.host, allowedOrigins)),
  })
  io.engine.use(handshake.check)
  encodeQuickly(io)
  gatherWrites(io)
  return { io, handshake }
}

export interface ServeOptions {
  readonly io: Server
  readonly handshake: ReturnType<typeof handshakes>
  readonly auth: Authenticator
  readonly rooms: Rooms
  readonly fanout: Fanout
  readonly presence: PresenceKeeper
  readonly emits: Emits
  readonly replays: Replays
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

/** Lets clients in: who they are, that they are here, what they are told on arrival, and what they ask. */
export function serveSockets(options: ServeOptions): void {
  const { io, handshake, auth, rooms, fanout, presence, emits, replays, clock, onError } = options

  const identify = async (socket: Socket): Promise<Identity> => {
    const { identity, from } = handshake.of(socket.request)
    const { token } = socket.handshake.auth as { token?: unknown }
    const use = from === 'header' || token === undefined || token === null ? identity : undefined
    const found = use ?? (await auth.verify(typeof token === 'string' ? tokenFrom(token) : null))
    if (found instanceof AuthFailure) throw new Unwelcome(401, found.message)
    const contradiction = contradicts(socket.handshake.query, found)
    if (contradiction) throw new Unwelcome(401, contradiction)
    return found
  }

  const welcome = async (socket: Socket): Promise<void> => {
    const gone = new AbortController()
    const giveUp = (): void => gone.abort()
    const late = clock.after(ARRIVAL_MS, giveUp)
    socket.conn.once('close', giveUp)
    try {
      await arrive(socket, gone.signal)
    } finally {
      // Nothing of this may stay for as long as the connection lives.
      late.cancel()
      socket.conn.off('close', giveUp)
    }
  }

  const arrive = async (socket: Socket, gone: AbortSignal): Promise<void> => {
    const identity = await identify(socket)
    const party = partyOf(identity)
    const person = await introduced(identity, party)
    try {
      await presence.connected(nameOf(party), identity.role, socket.id)
      // Whoever is told on arrival who is online is one of them: wait until this node would say so.
      const shown = await fanout.until(() => fanout.desk.presence(party.org, party.id) !== undefined, gone)
      // Who has hung up meanwhile is not let in, so that nothing else would ever say that this socket is gone.
      if (!shown || gone.aborted) throw new Unwelcome(503, 'try again')
    } catch (error) {
      await presence.disconnected(nameOf(party), socket.id, 'lost')
      throw error
    }
    const { query, auth: extra } = socket.handshake
    const { profile, createdAt, updatedAt } = person
    const session: Session = {
      caller: { party, visitor: { name: profile.name ?? profile.full_name ?? null, email: profile.email ?? null, createdAt, updatedAt } },
      address: socket.handshake.address,
      protocol: String(query.protocol ?? (extra as { protocol?: unknown }).protocol) === '2' ? 2 : 1,
    }
    socket.data = { session, expires: identity.exp * 1000 } satisfies SocketData
  }

  const introduced = async ({ role, profile, iat }: Identity, by: Party) => {
    const answer = await rooms.ask('person', nameOf(by), { type: 'Introduce', role, profile, issuedAt: iat, by, at: clock.now() })
    if (answer instanceof Refusal) {
      throw answer.code === 'account-disabled'
        ? new Unwelcome(401, 'this account is disabled')
        : new Unwelcome(503, `${answer.code}: try again`)
    }
    return (await rooms.look('person', nameOf(by))).state.context
  }

  io.use((socket, next) => {
    welcome(socket).then(
      () => next(),
      (error: unknown) => {
        if (!(error instanceof Unwelcome)) onError(error, 'a connection')
        next(error instanceof Unwelcome ? error : new Unwelcome(500, 'something broke on our side; it has been logged'))
      },
    )
  })

  io.on('connection', (socket) => {
    const { session, expires } = socket.data as SocketData
    const { party } = session.caller
    const expiry = clock.after(expires - clock.now(), () => {
      socket.emit('error', { message: 'token expired' })
      socket.disconnect(true)
    })
    socket.on('disconnect', (reason) => {
      expiry.cancel()
      replays.forget(socket.id)
      const meant = reason === 'client namespace disconnect' || (socket.data as SocketData).dismissed === true
      const how = meant ? 'closed' : 'lost'
      presence.disconnected(nameOf(party), socket.id, how).catch((error: unknown) => onError(error, 'a disconnection'))
    })
    socket.onAny((name: unknown, ...args: unknown[]) => emits.hear(name, args, session, socket.id))
    // Enter, then look, without a wait in between: what is recorded later comes as a push, what was recorded before is in the opening.
    void socket.join(roomsFor(party)) // the in-memory adapter joins at once
    // Who is disabled from now on is sent away by the outlet; who was disabled while being let in, here.
    if (fanout.directory.get(party.org, party.id)?.disabled) return sendAway(socket, 'this account is disabled')
    if (isStaff(party.role)) socket.emit('staff_init', fanout.openingText(party.org))
  })
}

export interface SocketData {
  /** Sent away by `dismiss`: no grace. */
  dismissed?: true
  readonly session: Session
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Ends a connection attempt: `connect_error` with `err.data`. */
class Unwelcome extends Error {
  readonly data: { readonly code: number; readonly message: string }
  constructor(code: number, message: string) {
    super(message)
    this.data = { code, message }
  }
}

const nameOf = ({ org, id }: Party): string => `${org}.${id}`
