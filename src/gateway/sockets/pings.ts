import type { Socket } from 'socket.io'
import { writeFrame } from './quick-frames.ts'

type Connection = Socket['conn']

/**
 * Asks a client for a sign that everything has arrived that was written to it before; `onPong` is called when it comes.
 * Engine.IO 4: a ping besides those of its own, which are answered in their order. Engine.IO 3, in which only clients
 * ping: a ping of the WebSocket itself, or the next request of long polling.
 */
export function ping(connection: Connection, onPong: () => void): void {
  const { transport, sendPacket } = connection as unknown as Insides
  if (connection.protocol !== 3) {
    const pings = pingsOf(connection)
    pings.waiting.push([pings.sent + 1, onPong])
    if (writeFrame(connection, PING)) pings.sent++
    else sendPacket.call(connection, 'ping')
  } else if (transport.socket) {
    transport.socket.once('pong', onPong)
    transport.socket.ping()
  } else afterNextPoll(connection, onPong)
}

/** A frame of RFC 6455, a text of one character: Engine.IO's ping. */
const PING = Buffer.from([0x81, 1, 0x32])

/**
 * A client of Engine.IO 3 over long polling can be asked nothing: but whoever polls again has got the answer to the
 * request before. What waits to be written goes out with the next request, and is known to be there at the one after.
 */
function afterNextPoll(connection: Connection, onPong: () => void): void {
  const { transport, writeBuffer } = connection as unknown as Insides
  let isWritten = writeBuffer.length === 0
  if (isWritten && transport.writable) {
    queueMicrotask(onPong) // it has polled since the last answer
    return
  }
  const written = (): void => {
    isWritten = true
  }
  // Before Engine.IO answers it with what waits.
  const polled = (): void => {
    if (!isWritten) return
    stop()
    onPong()
  }
  const upgraded = (): void => {
    stop()
    ping(connection, onPong)
  }
  const stop = (): void => {
    connection.off('flush', written)
    connection.off('upgrade', upgraded)
    connection.off('close', stop)
    transport.off('ready', polled)
  }
  connection.on('flush', written)
  connection.on('upgrade', upgraded)
  connection.on('close', stop)
  transport.prependListener('ready', polled)
}

interface Pings {
  /** Pings that were sent, Engine.IO's own among them, and pongs that came. */
  sent: number
  answered: number
  /** In the order of their pings. */
  readonly waiting: [ping: number, onPong: () => void][]
}

const known = new WeakMap<Connection, Pings>()

/** From now on pings and pongs are counted. */
function pingsOf(connection: Connection): Pings {
  const before = known.get(connection)
  if (before) return before
  const pings: Pings = { sent: 0, answered: 0, waiting: [] }
  known.set(connection, pings)
  connection.on('packetCreate', ({ type }: Packet) => {
    if (type === 'ping') pings.sent++
  })
  connection.on('packet', ({ type }: Packet) => {
    if (type !== 'pong') return
    pings.answered++
    while (pings.waiting[0] && pings.waiting[0][0] <= pings.answered) pings.waiting.shift()?.[1]()
  })
  return pings
}

interface Packet {
  readonly type: string
}

/** What Engine.IO has no public name for. */
interface Insides {
  sendPacket(type: 'ping'): void
  /** What waits until the transport can write. */
  readonly writeBuffer: readonly unknown[]
  readonly transport: {
    readonly writable: boolean
    /** `ready`: it can write; of long polling, that a client asks. */
    prependListener(event: 'ready', listener: () => void): void
    off(event: 'ready', listener: () => void): void
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: { ping(): void; once(event: 'pong', listener: () => void): void }
  }
}
