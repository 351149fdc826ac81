import type { PersonRef } from '../../../machines/stream.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection } from './connections.ts'
import { type Intake, Intakes } from './intake.ts'
import type { Lane } from './lane.ts'
import { MAX_FRAME_BYTES } from './sockets.ts'

/** Frames above what strangers may send, in a namespace that lets them in. */
export interface LargeFrames {
  /** From now on this connection may send them, for this person; it may be allowed again, as often as it enters. */
  allow(connection: Connection, person: PersonRef): LargeFramesOf
}

export interface LargeFramesOf {
  /** A frame has been handed to this lane: until its call has entered, its bytes are in memory. */
  taken(lane: Lane): void
}

interface Watched extends LargeFramesOf {
  /** Who sends on it now: who enters may change, for each entry has its own token. */
  person: PersonRef
}

/** What waits for its turn above this. */
const LARGE_BYTES = 256 * 1024
const LOOK_MS = 1_000
/** Whoever brings less than this in two looks, one after the other, is slow: 64 KiB a second. */
const SLOW_BYTES = 64 * 1024

/**
 * A hundred people who send a file at once must not fill the memory, nor keep everybody else waiting, and nobody must
 * wait for somebody who sends slowly: frames are read as far as there is room for them, and the rest of each waits in
 * the network of whoever sends it. As long as one comes, or is kept waiting here, its sender cannot be heard besides:
 * then no pong is missed.
 */
export function largeFrames(maxBytes: number, namespace: string): LargeFrames {
  const intakes = new Intakes()
  /** What is listened for on a connection is so once, however often somebody enters on it. */
  const known = new WeakMap<Connection, Watched>()
  const paces = new Map<Intake, { seen: number; slowLooks: number; readonly wait: () => void }>()
  let looking: NodeJS.Timeout | undefined

  const look = (): void => {
    for (const intake of intakes) {
      const pace = paces.get(intake)
      if (!pace) continue
      const came = intake.bytes - pace.seen
      pace.seen = intake.bytes
      if (came > 0 || intake.isPaused) pace.wait()
      if (intake.isPaused) continue
      pace.slowLooks = came < SLOW_BYTES ? pace.slowLooks + 1 : 0
      intake.isSlow = pace.slowLooks > 1
    }
    intakes.goOn()
    if (intakes.size > 0) return
    clearInterval(looking)
    looking = undefined
  }

  const watch = (connection: Connection, first: PersonRef): Watched => {
    let its: Intake | undefined
    let isTaken = false
    const done = (): void => {
      if (!its) return
      const intake = its
      its = undefined
      isTaken = false
      paces.delete(intake)
      intakes.remove(intake)
    }
    const insides = connection as unknown as Insides
    const begin = (socket: Receiving): Intake => {
      const intake: Intake = {
        ...{ person: personName(one.person), org: one.person.org, bytes: 0, isPaused: false, isSlow: false },
        resume: () => socket.isPaused && socket.resume?.(),
      }
      const wait = (): void => void insides.pingTimeoutTimer?.refresh()
      paces.set(intake, { seen: 0, slowLooks: 0, wait })
      intakes.add(intake)
      looking ??= setInterval(look, LOOK_MS)
      return intake
    }

    const received = (socket: Receiving): void => {
      const { _totalPayloadLength: whole = 0, _messageLength = 0, _bufferedBytes = 0 } = socket._receiver ?? {}
      if (whole > LARGE_BYTES) {
        its ??= begin(socket)
        its.bytes = Math.max(its.bytes, _messageLength + _bufferedBytes)
        if (its.isPaused || intakes.mayGoOn(its)) return
        its.isPaused = true
        socket.pause?.()
      } else if (its && !isTaken) setImmediate(() => !isTaken && done()) // it was no call
    }

    const allow = (): void => {
      const { transport } = insides
      transport.maxHttpBufferSize = maxBytes
      const { socket } = transport
      if (!socket?._receiver) return
      socket._receiver._maxPayload = maxBytes
      socket._socket?.on('data', () => received(socket))
    }
    allow()
    connection.on('upgrade', allow)
    connection.on('packet', onlyIn(namespace))
    connection.once('close', done)
    const one: Watched = {
      person: first,
      taken(lane) {
        if (!its || isTaken) return
        isTaken = true
        paces.delete(its) // all of it is here: what it takes now is not its sender's time
        lane.addAlways(async () => done())
      },
    }
    return one
  }

  return {
    allow(connection, person) {
      const its = known.get(connection) ?? watch(connection, person)
      known.set(connection, its)
      its.person = person
      return its
    },
  }
}

/**
 * The limit of ws and of long polling is the connection's, which other namespaces may share: theirs stays what it is.
 * A packet above it is made the one that tells Engine.IO of a transport that broke, which ends the connection before
 * anything is read of it.
 */
function onlyIn(namespace: string): (packet: EnginePacket) => void {
  /** Binary parts come after the text that says whose they are. */
  let isOurs = false
  return (packet) => {
    const { type, data } = packet
    if (type !== 'message' || data === undefined) return
    if (typeof data === 'string') isOurs = data.slice(0, MAX_HEAD).replace(PACKET_HEAD, '').startsWith(`${namespace},`)
    if (!isOurs && Buffer.byteLength(data) > MAX_FRAME_BYTES) packet.type = 'error'
  }
}

/** Of a Socket.IO packet: its type, and the number of its binary parts. */
const PACKET_HEAD = /^\d(\d+-)?/

/** Characters in which a packet has said whose it is. */
const MAX_HEAD = 64

interface EnginePacket {
  type: string
  readonly data?: string | Buffer
}

/**
 * Where ws and Engine.IO keep what they have received, their limits and their patience, which have no public name.
 * `test/contracts/project-sockets.test.ts` and the bench `fair` show that they are there.
 */
interface Insides {
  /** Ends the connection unless a pong comes; null when none is waited for. */
  readonly pingTimeoutTimer?: NodeJS.Timeout | null
  readonly transport: {
    /** Of long polling. */
    maxHttpBufferSize?: number
    readonly socket?: Receiving
  }
}

/** The ws socket, when the transport is a WebSocket. */
interface Receiving {
  readonly isPaused?: boolean
  pause?(): void
  resume?(): void
  readonly _socket?: { on(event: 'data', listener: () => void): void } | null
  readonly _receiver?: {
    _maxPayload: number
    /** Of the message that is being received, as its frames say; 0 between two. */
    readonly _totalPayloadLength: number
    /** What is here of it: whole frames, and of the next one. */
    readonly _messageLength: number
    readonly _bufferedBytes: number
  }
}
