import type { Connection } from './connections.ts'
import type { EnginePacket } from './packet-shapes.ts'

/** A call on the default namespace, as Socket.IO would hand it over, without the ack. */
export interface QuickCall {
  readonly name: string
  readonly args: unknown[]
  /** Of the ack; undefined: nobody waits for one. */
  readonly id: number | undefined
}

export type TakesCalls = (call: QuickCall) => void

/** What is longer goes Socket.IO's way, where there is more to be looked at. */
const MAX_BYTES = 16 * 1024
const MAX_ID_DIGITS = 15
/** Socket.IO ends a connection that uses these names. */
const RESERVED: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
])

/** Reads a frame that is plainly a small call on the default namespace; undefined: it is for Socket.IO to read. */
export function quickCall(frame: Buffer): QuickCall | undefined {
  if (frame.length > MAX_BYTES || frame[0] !== MESSAGE || frame[1] !== EVENT) return undefined
  let at = 2
  while (isDigit(frame[at]) && at <= MAX_ID_DIGITS + 1) at++
  if (frame[at] !== OPENING) return undefined
  try {
    const [name, ...args] = JSON.parse(frame.toString('utf8', at)) as unknown[] // it begins with a bracket
    if (typeof name !== 'string' || RESERVED.has(name)) return undefined
    return { name, args, id: at === 2 ? undefined : Number(frame.toString('latin1', 2, at)) }
  } catch {
    return undefined
  }
}

const MESSAGE = 0x34
const EVENT = 0x32
const OPENING = 0x5b
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

/**
 * Reads what comes on the connection's WebSocket: calls that are small and plain are handed over in this very turn,
 * past Engine.IO and Socket.IO; all others, and all that come behind one of those before Socket.IO has handed it over,
 * go Socket.IO's way, so that the order stays the sender's (ORDER-1). `listener`: who takes calls now; undefined:
 * nobody does. Engine.IO's `packet` event is emitted for each, whatever way it goes.
 */
export function readQuickly(connection: Connection, listener: () => ((call: QuickCall) => void) | undefined): void {
  const insides = connection as unknown as Insides
  const { socket } = insides.transport
  const listeners = socket?.listeners?.('message') ?? []
  const [slowly] = listeners
  if (!socket || !slowly || listeners.length > 1) return
  /** Packets that Socket.IO has not handed over yet: it does that before the next tick is over. */
  let ahead = 0
  const arrived = (): void => {
    ahead--
  }
  socket.removeListener('message', slowly)
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const take = ahead === 0 && !isBinary && isIdle(insides) ? listener() : undefined
    const call = take && quickCall(data)
    if (!take || !call) {
      ahead++
      slowly.call(socket, data, isBinary)
      process.nextTick(arrived)
      return
    }
    const packet: EnginePacket = { type: 'message', data: data.toString() }
    connection.emit('packet', packet as Parameters<Connection['emit']>[1])
    take(call)
  })
}

/** Open, and no pong is awaited: that Engine.IO would wait longer for. */
const isIdle = ({ readyState, protocol, pingTimeoutTimer }: Insides): boolean =>
  readyState === 'open' && (protocol === 3 || pingTimeoutTimer === null)

/** What Engine.IO and ws keep to themselves; see `quick-frames.ts`. */
interface Insides {
  readonly readyState: string
  readonly protocol: number
  readonly pingTimeoutTimer?: NodeJS.Timeout | null
  readonly transport: {
    readonly socket?: {
      listeners?(event: 'message'): ((data: Buffer, isBinary: boolean) => void)[]
      removeListener(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
      on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
    }
  }
}
