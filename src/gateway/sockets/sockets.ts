import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { Server } from 'socket.io'
import type { HostCheck } from '../allowed-hosts.ts'
import type { OriginCheck } from '../allowed-origins.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Rate } from '../auth/limits.ts'
import type { ClientAddresses } from '../client-address.ts'
import { answerHandshake } from './answered-handshake.ts'
import { ARRIVAL_MS } from './connection-registry.ts'
import { limitedConnects } from './connects.ts'
import { corkUpgrades } from './corked-upgrades.ts'
import { corkWrites } from './corked-writes.ts'
import { type Frames, type FramesOptions, STRANGERS_FRAME_BYTES, watchFrames } from './frames.ts'
import { handshakes } from './handshake.ts'
import { encodeQuickly } from './packets.ts'

/**
 * A frame of whoever was let in may be this large, where a contract says nothing else; content is limited far below
 * (64 KiB) and refused with an answer, while a larger frame ends the connection.
 */
export const MAX_FRAME_BYTES = 2_500_000

export interface SocketsOptions {
  readonly http: HttpServer
  readonly auth: Authenticator
  readonly addresses: ClientAddresses
  readonly hosts: HostCheck
  readonly origins: OriginCheck
  /** Whether clients of Engine.IO 3 (socket.io-client 2) are let in. */
  readonly allowEio3: boolean
  /** False while the node starts: whoever comes is put off, and comes again by themselves. */
  readonly isOpen: () => boolean
  readonly namespaces: readonly string[]
  readonly perPerson: Rate
  readonly perAddress: Rate
  readonly onCutOff: FramesOptions['onCutOff']
}

export interface Sockets {
  readonly io: Server
  readonly handshake: ReturnType<typeof handshakes>
  readonly frames: Frames
}

/** The Socket.IO server with its doors: origins, tokens on the handshake. Nobody is let in before `serveSockets`. */
export function openSockets(options: SocketsOptions): Sockets {
  const { http, auth, addresses, hosts, origins, allowEio3, isOpen } = options
  const { namespaces, perPerson, perAddress, onCutOff } = options
  const handshake = handshakes(auth)
  const io = new Server(http, {
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: STRANGERS_FRAME_BYTES, // of whoever is let in: `frames.ts`
    connectTimeout: ARRIVAL_MS,
    allowEIO3: allowEio3,
    // `*` would not go with credentials: whoever asks is named.
    cors: ({ headers: { origin, host } }: Pick<IncomingMessage, 'headers'>, decide) =>
      decide(null, { origin: origins(origin, host) ? true : [], credentials: true }),
    allowRequest: ({ headers: { origin, host } }, decide) => decide(null, origins(origin, host)),
  })
  // From here on a connection is its client's, for everybody who asks: what is counted is counted by this.
  io.engine.prependListener('connection', (connection: { remoteAddress: string; request: IncomingMessage }) => {
    connection.remoteAddress = addresses.of(connection.request)
  })
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const problem = hosts(request.headers.host)
    if (problem !== null) answerHandshake(request, response, 421, { code: 'unknown-host', message: problem })
    else if (isOpen()) next()
    else answerHandshake(request, response, 503, { code: 'unavailable', message: 'this server is starting' })
  })
  const frames = watchFrames({
    ...{ io, namespaces, callRate: perPerson, onCutOff },
    addressOf: (connection) => connection.remoteAddress,
  })
  io.engine.use(limitedConnects({ perAddress, addressOf: addresses.of, frames }))
  io.engine.use((request: IncomingMessage, _: ServerResponse, next: () => void) => {
    frames.onRequest(request)
    next()
  })
  io.engine.use(handshake.check)
  encodeQuickly(io)
  corkWrites(io)
  corkUpgrades(http)
  return { io, handshake, frames }
}
