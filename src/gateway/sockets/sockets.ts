import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { isStaff, type Party, Refusal } from '../../../machines/kernel.ts'
import type { Person } from '../../../machines/person/machine.ts'
import type { Clock } from '../../clock.ts'
import type { LessonCalls } from '../../contracts/lessons/calls.ts'
import { participantId } from '../../contracts/presence/inbound.ts'
import type { Replays } from '../../contracts/support-chat/replays.ts'
import type { Follower } from '../../delivery/follower.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Authenticator, Identity } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { type Arrival, arrivals } from './arrivals.ts'
import { ConnectionRefused } from './connection-refused.ts'
import { ARRIVAL_MS, type ConnectionRegistry } from './connection-registry.ts'
import { peerOf, seenUntil } from './connections.ts'
import { corkUpgrades } from './corked-upgrades.ts'
import { corkWrites } from './corked-writes.ts'
import { handshakes, originAllowed } from './handshake.ts'
import type { Inbound, Session } from './inbound.ts'
import { openLane } from './lane.ts'
import { hubRooms, roomsFor, sendAway } from './outlet.ts'
import { encodeQuickly } from './packets.ts'

/**
 * A frame may be this large; content is limited far below (64 KiB) and refused with an answer, while a larger frame
 * ends the connection.
 */
const MAX_FRAME_BYTES = 2_500_000

export interface SocketsOptions {
  readonly http: HttpServer
  readonly auth: Authenticator
  readonly allowedOrigins: readonly string[]
}

/** The Socket.IO server with its doors: origins, tokens on the handshake. Nobody is let in before `serveSockets`. */
export function openSockets({ http, auth, allowedOrigins }: SocketsOptions): {
  io: Server
  handshake: ReturnType<typeof handshakes>
} {
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
  corkWrites(io)
  corkUpgrades(http)
  return { io, handshake }
}

export interface ServeOptions {
  readonly io: Server
  readonly handshake: ReturnType<typeof handshakes>
  readonly auth: Authenticator
  readonly entities: Entities
  readonly follower: Follower
  readonly registry: ConnectionRegistry
  /** Of connections without a token. */
  readonly perAddress: Limit
  readonly emits: Inbound
  readonly replays: Replays
  readonly lessonCalls: LessonCalls
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

/** Lets clients in: who they are, that they are here, what they are told on arrival, and what they ask. */
export function serveSockets(options: ServeOptions): void {
  const { io, handshake, auth, entities, follower, registry, perAddress, emits, replays, lessonCalls, clock, onError } =
    options

  const arrive = arrivals({ handshake, auth, perAddress, now: clock.now })

  const welcome = async (socket: Socket): Promise<void> => {
    const gone = new AbortController()
    const giveUp = (): void => gone.abort()
    socket.conn.once('close', giveUp)
    try {
      await letIn(socket, gone.signal)
    } finally {
      socket.conn.off('close', giveUp) // nothing of this may stay for as long as the connection lives
    }
  }

  const letIn = async (socket: Socket, gone: AbortSignal): Promise<void> => {
    const arrival = await arrive(socket)
    const { way, party } = arrival
    const person =
      arrival.way === 'anonymous'
        ? { profile: {}, createdAt: clock.now(), updatedAt: null }
        : await introduced(arrival.identity, party)
    const { profile, createdAt, updatedAt }: Pick<Person, 'profile' | 'createdAt' | 'updatedAt'> = person
    const session: Session = {
      way,
      caller: {
        party,
        visitor: {
          name: profile.name ?? profile.full_name ?? null,
          email: profile.email ?? null,
          createdAt,
          updatedAt,
        },
      },
      address: socket.handshake.address,
      protocol: protocolOf(socket.handshake),
    }
    socket.data = { session, arrival } satisfies SocketData
    // Last of all: nothing may fail between being here and being let in, or they would stay.
    await registry.entered(arrival, socket.id, peerOf(socket.conn), gone)
  }

  const introduced = async ({ role, profile, iat }: Identity, by: Party) => {
    const answer = await entities.ask('person', nameOf(by), {
      type: 'Introduce',
      role,
      profile,
      issuedAt: iat,
      by,
      at: clock.now(),
    })
    if (answer instanceof Refusal) {
      throw answer.code === 'account-disabled'
        ? new ConnectionRefused(401, 'this account is disabled')
        : new ConnectionRefused(503, `${answer.code}: try again`)
    }
    return (await entities.state('person', nameOf(by))).state.context
  }

  io.use((socket, next) => {
    welcome(socket).then(
      () => next(),
      (error: unknown) => {
        if (!(error instanceof ConnectionRefused)) onError(error, 'a connection')
        next(
          error instanceof ConnectionRefused
            ? error
            : new ConnectionRefused(500, 'something broke on our side; it has been logged'),
        )
      },
    )
  })

  io.on('connection', (socket) => {
    const { session, arrival } = socket.data as SocketData
    const { way, party } = arrival
    const lane = openLane()
    // An anonymous participant's token is nothing that expires.
    const expiry =
      arrival.way !== 'anonymous' &&
      clock.after(arrival.identity.exp * 1000 - clock.now(), () => {
        socket.emit('error', { message: 'token expired' })
        socket.disconnect(true)
      })
    socket.on('disconnect', (reason) => {
      if (expiry) expiry.cancel()
      const meant = reason === 'client namespace disconnect' || (socket.data as SocketData).dismissed === true
      const at = seenUntil(socket.conn, reason, clock.now())
      // What was asked before is decided before.
      lane.end(async () => {
        replays.forget(socket.id)
        await registry
          .left(arrival, socket.id, { how: meant ? 'closed' : 'lost', at })
          .catch((error: unknown) => onError(error, 'a disconnection'))
      })
    })
    socket.onAny((name: unknown, ...args: unknown[]) => emits.hear(name, args, session, socket.id, lane))
    // Enter, then look, without a wait in between: what is recorded later comes as a push, what was recorded before is
    // in the opening.
    void socket.join(way === 'hub' ? hubRooms(party) : roomsFor(party)) // the in-memory adapter joins at once
    // Who is disabled from now on is sent away by the outlet; who was disabled while being let in, here.
    if (follower.profiles.get(party.org, party.id)?.disabled) return sendAway(socket, 'this account is disabled')
    if (arrival.way === 'anonymous') socket.emit('participant_id', participantId(arrival.participant))
    const { inLesson } = lessonCalls.arrive(socket, session, lane)
    if (inLesson) void registry.probeOthers(arrival, socket.id, clock.now()) // never rejects
    if (way === 'app' && isStaff(party.role)) socket.emit('staff_init', follower.openingText(party.org))
  })
}

export interface SocketData {
  /** Sent away by `dismiss`: no grace. */
  dismissed?: true
  readonly session: Session
  readonly arrival: Arrival
}

/** In the query or in `auth`, as a text or a number; whatever else stands there is as good as nothing. */
function protocolOf({ query, auth }: Socket['handshake']): 1 | 2 {
  const { protocol } = auth as { readonly protocol?: unknown }
  return [query.protocol ?? protocol].some((asked) => asked === '2' || asked === 2) ? 2 : 1
}

const nameOf = ({ org, id }: Party): string => `${org}.${id}`
