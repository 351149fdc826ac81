import type { Socket } from 'socket.io'
import { instantOf, systemClock } from '../../clock.ts'
import type { Peer } from '../../presence/liveness-probe.ts'
import { ping } from './pings.ts'

/** A connection of Engine.IO: a WebSocket or long polling, under a Socket.IO socket. */
export type Connection = Socket['conn']

/** How far the reader has come. Two equal marks: nothing was taken in between. */
export interface Mark {
  /** The oldest message that waits for the connection as a whole. */
  readonly head: unknown
  /** Bytes of writes that are over. */
  readonly taken: number
  /** Bytes of the current write that the kernel has not taken yet. */
  readonly queued: number
}

/** What waits in this process for the reader, in bytes (for texts in characters, which is near enough). */
export function waitingBytes(connection: Connection): number {
  const { writeBuffer = [], transport } = insides(connection)
  let bytes = transport.socket?.bufferedAmount ?? 0
  for (const { data } of writeBuffer) bytes += data?.length ?? 0
  return bytes
}

export function markOf(connection: Connection): Mark {
  const { writeBuffer = [], transport } = insides(connection)
  const tcp = transport.socket?._socket
  return {
    head: writeBuffer[0],
    taken: tcp ? tcp.bytesWritten - tcp.writableLength : 0,
    queued: tcp?._handle?.writeQueueSize ?? 0,
  }
}

/** Enough that a reader is never idle, and far from what is too much. */
const BUSY_BYTES = 1024 * 1024

/** Resolves when the reader has taken nearly all that was written, or is gone. */
export async function drained(connection: Connection, nearlyBytes = BUSY_BYTES): Promise<void> {
  while (insides(connection).readyState === 'open' && waitingBytes(connection) > nearlyBytes) {
    await new Promise<void>((resolve) => {
      const tcp = insides(connection).transport.socket?._socket
      const go = (): void => {
        connection.off('drain', go)
        connection.off('close', go)
        tcp?.off('drain', go)
        resolve()
      }
      connection.on('drain', go)
      connection.on('close', go)
      tcp?.on('drain', go) // of what went past Engine.IO
    })
  }
}

/** Ends a connection now and frees what waits for it: an orderly close would wait for a reader who does not read. */
export function terminate(connection: Connection): void {
  const { socket } = insides(connection).transport
  if (socket) socket.terminate()
  else connection.close(true)
}

/** Whether the other side knows that it is over: Engine.IO calls a WebSocket closed as soon as it has asked for it. */
export function isOver(connection: Connection): boolean {
  const { transport, readyState } = insides(connection)
  return transport.socket ? transport.socket.readyState === WEBSOCKET_CLOSED : readyState === 'closed'
}

const WEBSOCKET_CLOSED = 3

/** When something last came from each connection, by elapsed time. */
const heard = new WeakMap<Connection, number>()

function markHeard(this: Connection): void {
  heard.set(this, systemClock.elapsed())
}
/** When its client was last heard, by elapsed time. */
export const heardAt = (connection: Connection): number => heard.get(connection) ?? systemClock.elapsed()

/**
 * Until when somebody was at the other end of a connection that ended just now, by elapsed time: who misses a ping was
 * gone before.
 */
export const seenUntil = (connection: Connection, reason: string): number =>
  reason === 'ping timeout' ? heardAt(connection) : systemClock.elapsed()

const closedNormally = new WeakSet<Connection>()
/** RFC 6455, 7.4.1: the purpose for which the connection was established has been fulfilled. */
const NORMAL_CLOSURE = 1000

/** Before Engine.IO hears of it. What we close ourselves is answered with any code. */
function noteNormalClose(connection: Connection): void {
  insides(connection).transport.socket?.prependListener?.('close', (code) => {
    if (code === NORMAL_CLOSURE && insides(connection).readyState === 'open') closedNormally.add(connection)
  })
}

/**
 * Whether the client closed its WebSocket because it wanted to go, as `disconnect()` of python-socketio does, without
 * Socket.IO's own packet. Browsers that leave a page say 1001, and the official client's engine nothing (1005).
 */
export const wasClosedNormally = (connection: Connection): boolean => closedNormally.has(connection)

/**
 * The connection as the liveness probe sees it; from now on it is remembered when something comes. One function for
 * all: this is kept per idle client.
 */
export function peerOf(connection: Connection): Peer {
  if (!heard.has(connection)) {
    connection.on('packet', markHeard)
    noteNormalClose(connection)
    connection.on('upgrade', () => noteNormalClose(connection))
  }
  markHeard.call(connection)
  return {
    heardAt: () => instantOf(systemClock, heardAt(connection)),
    answers: (withinMs) => answers(connection, withinMs),
  }
}

/**
 * Sends a ping besides those of Engine.IO itself; whatever comes then is a sign of life, and clients answer every ping.
 */
function answers(connection: Connection, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answered: boolean): void => {
      clearTimeout(timer)
      connection.off('packet', yes)
      connection.off('close', no)
      resolve(answered)
    }
    const yes = (): void => settle(true)
    const no = (): void => settle(false)
    const timer = setTimeout(no, withinMs)
    connection.on('packet', yes)
    connection.on('close', no)
    if (connection.protocol === 3) ping(connection, yes)
    else insides(connection).sendPacket?.('ping')
  })
}

/**
 * What Engine.IO and ws keep to themselves and have no public name for. Everything but `transport` may be missing (long
 * polling, an upgrade of a library): then less is seen, and nobody is cut off wrongly. `test/faults/outbound.test.ts`
 * shows that it is there.
 */
interface Insides {
  readonly readyState: string
  sendPacket?(type: 'ping'): void
  readonly writeBuffer?: readonly { readonly data?: string | Uint8Array }[]
  readonly transport: {
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: {
      prependListener?(event: 'close', listener: (code: number) => void): void
      readonly readyState: number
      readonly bufferedAmount: number
      readonly _socket?: {
        on(event: 'drain', listener: () => void): void
        off(event: 'drain', listener: () => void): void
        readonly bytesWritten: number
        readonly writableLength: number
        readonly _handle?: { readonly writeQueueSize?: number } | null
      }
      terminate(): void
    }
  }
}

const insides = (connection: Connection): Insides => connection as unknown as Insides
