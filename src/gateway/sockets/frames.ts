import type { IncomingMessage } from 'node:http'
import type { Socket as TcpSocket } from 'node:net'
import type { Server } from 'socket.io'
import type { PersonRef } from '../../../machines/stream.ts'
import type { Rate } from '../auth/limits.ts'
import { type Connection, terminate } from './connections.ts'
import { Flood } from './flood.ts'
import { type FrameBudget, frameBudget } from './frame-budget.ts'
import type { Lane } from './lane.ts'
import { type LargeFrames, largeFrames } from './large-frames.ts'
import {
  breakOff,
  type EnginePacket,
  hasMore,
  namespaceOf,
  withoutBinary,
  withoutExcess,
  withoutReserved,
} from './packet-shapes.ts'
import { readQuickly, type TakesCalls } from './quick-packets.ts'
import { releaseReading } from './reading.ts'
import { sessionIdOf } from './session-id.ts'

/** What strangers may send at once: a token, and what stands around it. */
export const STRANGERS_FRAME_BYTES = 64 * 1024
const STRANGERS_END_MS = 1_000
/** More than any client has waiting when it polls. */
const MAX_PAYLOAD_PACKETS = 5_000

export interface FramesOptions {
  readonly io: Server
  readonly namespaces: readonly string[]
  readonly addressOf: (connection: Connection) => string
  /** Of the calls that one person may make. */
  readonly callRate: Rate
  readonly onCutOff: (flooder: { readonly address: string; readonly why: string }) => void
}

/** Looks at everything that comes on each connection, before Socket.IO does. */
export interface Frames {
  of(connection: Connection): FramesOf
  /** Connections of an address that have not said who they are. */
  strangersOf(address: string): number
  /** For each request of long polling. */
  onRequest(request: IncomingMessage): void
}

export interface FramesOf extends Pick<Flood, 'refused' | 'done'> {
  /** Somebody who is known sends in this namespace from now on, frames of at most `maxBytes`. */
  allow(namespace: string, maxBytes: number, person: PersonRef): void
  /** A frame has been handed to this lane. */
  taken(lane: Lane): void
  /** Takes the small calls on the default namespace, past Socket.IO; undefined: nobody does. */
  listener: TakesCalls | undefined
}

/** Opens it for all connections of a server. */
export function watchFrames({ io, namespaces, addressOf, callRate, onCutOff }: FramesOptions): Frames {
  const strangers = new Map<string, number>()
  const watched = new WeakMap<Connection, Watched>()
  const shared: Shared = {
    ...{ namespaces, callRate, onCutOff, budget: frameBudget(), large: largeFrames() },
    strangers(address, more) {
      const now = (strangers.get(address) ?? 0) + more
      if (now > 0) strangers.set(address, now)
      else strangers.delete(address)
    },
  }

  const of = (connection: Connection): Watched => {
    const known = watched.get(connection)
    if (known) return known
    const one = new Watched(shared, connection, addressOf(connection))
    watched.set(connection, one)
    return one
  }
  io.engine.on('connection', of)

  return {
    of,
    strangersOf: (address) => strangers.get(address) ?? 0,
    onRequest(request) {
      if (request.method !== 'POST') return
      const sid = sessionIdOf(request) ?? ''
      const { clients } = io.engine as unknown as { readonly clients: Readonly<Record<string, Connection>> }
      const connection = Object.hasOwn(clients, sid) ? clients[sid] : undefined
      if (connection) of(connection).posts(request)
    },
  }
}

/** What all connections of a server have in common. */
interface Shared extends Pick<FramesOptions, 'namespaces' | 'callRate' | 'onCutOff'> {
  readonly budget: FrameBudget
  readonly large: LargeFrames
  /** How many connections of an address have not said who they are: one more, or one less. */
  readonly strangers: (address: string, more: 1 | -1) => void
}

class Watched implements FramesOf {
  readonly #shared: Shared
  readonly #connection: Connection
  readonly #address: string
  readonly #flood: Flood
  /** By namespace; undefined: its owner has not said who they are. */
  #limits: Map<string, number> | undefined
  #largest = STRANGERS_FRAME_BYTES
  /** Binary parts that were announced and are thrown away. */
  #partsDue = 0
  /** Who sends on it now: who enters may change, for each entry has its own token. */
  #person: PersonRef | undefined
  #isClosed = false
  #cameLate = 0
  listener: TakesCalls | undefined

  constructor(shared: Shared, connection: Connection, address: string) {
    this.#shared = shared
    this.#connection = connection
    this.#address = address
    this.#flood = new Flood(connection, shared.callRate, (why) => this.#cutOff(why))
    shared.strangers(address, 1)
    connection.on('packet', (packet) => this.#came(packet as EnginePacket))
    connection.on('upgrade', () => this.#openTransport())
    connection.once('close', () => this.#closed())
    this.#openTransport()
  }

  allow(namespace: string, maxBytes: number, person: PersonRef): void {
    if (!this.#limits) {
      this.#limits = new Map()
      if (!this.#isClosed) this.#shared.strangers(this.#address, -1)
      this.#flood.known()
    }
    this.#limits.set(namespace, maxBytes)
    this.#largest = Math.max(this.#largest, maxBytes)
    this.#limit()
    this.#person = person
  }

  taken(lane: Lane): void {
    this.#shared.large.taken(this.#connection, lane)
  }

  refused(): void {
    this.#flood.refused()
  }

  done(): void {
    this.#flood.done()
  }

  /** Counts what has come of a request of long polling until it is whole. */
  posts(request: IncomingMessage): void {
    let bytes = 0
    request.on('data', (chunk: Buffer | string) => {
      bytes += Buffer.byteLength(chunk)
      this.#hold(request, bytes)
    })
    request.once('close', () => this.#hold(request, 0))
  }

  #closed(): void {
    this.#isClosed = true
    this.#flood.close()
    releaseReading(this.#connection)
    this.#hold(this, 0)
    if (this.#limits) return
    this.#shared.strangers(this.#address, -1)
    // ws waits 30 s for a client to take the end of a connection; to strangers nothing is owed.
    setTimeout(() => terminate(this.#connection), STRANGERS_END_MS).unref()
  }

  /** Without a word: whoever floods does not read, either. */
  #cutOff(why: string): void {
    if (this.#isClosed) return
    terminate(this.#connection)
    this.#shared.onCutOff({ address: this.#address, why })
  }

  #came(packet: EnginePacket): void {
    const { type, data } = packet
    this.#flood.came(data?.length ?? 0)
    if (type !== 'message' || data === undefined) return
    if (typeof data !== 'string') this.#cameBinary(packet)
    else if (data.length > STRANGERS_FRAME_BYTES / 4 && Buffer.byteLength(data) > this.#limitOf(data)) breakOff(packet)
    else this.#cameText(packet, data)
  }

  #cameBinary(packet: EnginePacket): void {
    if (this.#partsDue === 0) breakOff(packet)
    else {
      this.#partsDue--
      packet.type = 'noop'
    }
  }

  #cameText(packet: EnginePacket, text: string): void {
    const [type] = text
    if (type === CONNECT && !this.#shared.namespaces.includes(namespaceOf(text))) this.refused()
    if (type === EVENT) packet.data = withoutExcess(withoutReserved(text))
    const rest = type === BINARY_EVENT || type === BINARY_ACK ? withoutBinary(text) : undefined
    if (this.#partsDue > 0 || rest === null) breakOff(packet)
    else if (rest) {
      this.#partsDue = rest.parts
      if (rest.text === undefined) packet.type = 'noop'
      else packet.data = rest.text
    }
  }

  #limitOf = (text: string): number => this.#limits?.get(namespaceOf(text)) ?? STRANGERS_FRAME_BYTES

  #openTransport(): void {
    this.#limit()
    this.#boundPayloads()
    readQuickly(this.#connection, () => (this.#partsDue === 0 ? this.listener : undefined))
    const { socket } = this.#insides().transport
    // Of a WebSocket itself: ws answers pings by itself.
    const control = (): void => this.#flood.came(0)
    socket?.on('ping', control)
    socket?.on('pong', control)
    socket?._socket?.on('data', (chunk: Buffer) => this.#received(chunk.length))
  }

  /** A request of long polling brings many packets at once, which Engine.IO would all take apart. */
  #boundPayloads(): void {
    const { transport } = this.#insides()
    if (transport.name !== 'polling') return
    const take = transport.onData.bind(transport)
    transport.onData = (data) => {
      if (typeof data === 'string' && hasMore(data, this.#separator, MAX_PAYLOAD_PACKETS))
        this.#cutOff('too many packets')
      else take(data)
    }
  }

  /** Between two packets of a payload: of Engine.IO 4, and after the length of each one of Engine.IO 3. */
  get #separator(): string {
    return this.#connection.protocol === 3 ? ':4' : '\x1e'
  }

  #limit(): void {
    const { transport } = this.#insides()
    transport.maxHttpBufferSize = this.#largest
    const receiver = transport.socket?._receiver
    if (receiver) receiver._maxPayload = this.#largest
  }

  #received(chunkBytes: number): void {
    if (this.#isClosed) {
      this.#cameLate += chunkBytes
      // ws waits 30 s for its client to agree to the end, and reads what comes until then.
      if (this.#cameLate > STRANGERS_FRAME_BYTES) terminate(this.#connection)
      return
    }
    const { _messageLength = 0, _bufferedBytes = 0 } = this.#insides().transport.socket?._receiver ?? {}
    this.#hold(this, _messageLength + _bufferedBytes)
    if (this.#person) this.#shared.large.received(this.#connection, this.#person)
  }

  #hold(sender: object, bytes: number): void {
    // Large frames of those who are known have their own room (`intake.ts`).
    const counted = this.#limits ? Math.min(bytes, STRANGERS_FRAME_BYTES) : bytes
    const from = { address: this.#address, isKnown: this.#limits !== undefined }
    if (!this.#shared.budget.note(sender, from, counted)) this.#cutOff('too much that is not whole')
  }

  #insides(): Insides {
    return this.#connection as unknown as Insides
  }
}

/** Of socket.io-protocol 5. */
const CONNECT = '0'
const EVENT = '2'
const BINARY_EVENT = '5'
const BINARY_ACK = '6'

/**
 * Where ws and Engine.IO keep what they have received, and their limits, which have no public name.
 * `test/gateway/frames.test.ts` shows that they are there.
 */
interface Insides {
  readonly transport: {
    readonly name: string
    onData(data: string | Buffer): void
    /** Of long polling. */
    maxHttpBufferSize?: number
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: {
      on(event: 'ping' | 'pong', listener: () => void): void
      readonly _socket?: Pick<TcpSocket, 'on'> | null
      readonly _receiver?: {
        _maxPayload: number
        /** What is here of the message that is being received: whole frames, and of the next one. */
        readonly _messageLength: number
        readonly _bufferedBytes: number
      }
    }
  }
}
