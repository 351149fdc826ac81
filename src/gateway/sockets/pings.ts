import type { Socket } from 'socket.io'

type Connection = Socket['conn']

/** Clients of Engine.IO 3 over long polling can be asked nothing: what they send shows what had arrived by then. */
const AWHILE_MS = 1_000

/**
 * Asks a client for a sign that everything has arrived that was written to it before; `onPong` is called when it comes.
 * Engine.IO 4: a ping besides those of its own, which are answered in their order. Engine.IO 3, in which only clients
 * ping: a ping of the WebSocket itself.
 */
export function ping(connection: Connection, onPong: () => void): void {
  const { transport, sendPacket } = connection as unknown as Insides
  if (connection.protocol !== 3) {
    const pings = pingsOf(connection)
    pings.waiting.push([pings.sent + 1, onPong])
    sendPacket.call(connection, 'ping')
  } else if (transport.socket) {
    transport.socket.once('pong', onPong)
    transport.socket.ping()
  } else {
    const sentAt = performance.now()
    const look = (): void => {
      if (performance.now() - sentAt < AWHILE_MS) return
      connection.off('packet', look)
      onPong()
    }
    connection.on('packet', look)
  }
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
  readonly transport: {
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: { ping(): void; once(event: 'pong', listener: () => void): void }
  }
}
