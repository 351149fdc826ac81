import type { Socket as TcpSocket } from 'node:net'
import type { Namespace, Socket } from 'socket.io'

type Connection = Socket['conn']

/** An event for sockets of one namespace, as Socket.IO's encoder takes it. */
export interface EventPacket {
  readonly type: 2
  readonly nsp: string
  readonly data: readonly unknown[]
}

/**
 * A packet of Socket.IO as one frame of RFC 6455: not fragmented, not compressed, not masked, with the type of an
 * Engine.IO message in front.
 */
export function messageFrame(packet: string): Buffer {
  const bytes = Buffer.byteLength(packet)
  const length = bytes + 1
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = FINAL_TEXT
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(0, 2)
    frame.writeUInt32BE(length, 6)
  }
  frame[head] = MESSAGE
  if (bytes === packet.length) frame.write(packet, head + 1, 'latin1')
  else frame.write(packet, head + 1, 'utf8')
  return frame
}

const FINAL_TEXT = 0x81
/** Of Engine.IO, a `4`. */
const MESSAGE = 0x34

/**
 * Writes a frame past Engine.IO to the TCP connection under it, in the order of everything else that is written to it.
 * What is written in one turn of the event loop leaves in one system call. False, and nothing is written: Engine.IO
 * has something that comes before it, or it is no open WebSocket.
 */
export function writeFrame(connection: Connection, frame: Buffer): boolean {
  const tcp = openTcp(connection as unknown as Insides)
  if (!tcp) return false
  corkTurn(tcp)
  tcp.write(frame)
  return true
}

let corked = new Set<TcpSocket>()

function corkTurn(tcp: TcpSocket): void {
  if (corked.has(tcp)) return
  if (corked.size === 0) setImmediate(uncork)
  tcp.cork()
  corked.add(tcp)
}

function uncork(): void {
  const all = corked
  corked = new Set()
  for (const tcp of all) tcp.uncork()
}

function openTcp({ readyState, writeBuffer, transport }: Insides): TcpSocket | undefined {
  const { socket } = transport
  if (readyState !== 'open' || writeBuffer.length > 0 || !socket) return undefined
  return socket.readyState === OPEN && socket._sender?._state === IDLE && socket._socket ? socket._socket : undefined
}

/** The states of a WebSocket, and of the sender of ws: nothing is being compressed, or read from a blob. */
const OPEN = 1
const IDLE = 0

/** One packet to many sockets of its namespace: written down once, and past Engine.IO wherever that may be. */
export function pushPacket(namespace: Namespace, packet: EventPacket, ids: Iterable<string>): void {
  let text: string | undefined
  let frame: Buffer | undefined
  for (const id of ids) {
    const socket = namespace.sockets.get(id)
    if (!socket) continue
    text ??= textOf(namespace, packet)
    frame ??= messageFrame(text)
    sendPacket(socket, text, frame)
  }
}

/** Socket.IO's own encoder, which is ours (`packets.ts`), makes one text of whatever has no binary parts. */
const textOf = ({ server }: Namespace, packet: EventPacket): string => {
  const { encoder } = server as unknown as { readonly encoder: { encode(packet: EventPacket): readonly [string] } }
  return encoder.encode(packet)[0]
}

/** What is held back (`held-events.ts`) and what must wait goes Socket.IO's way. */
export function sendPacket(socket: Socket, text: string, frame = messageFrame(text)): void {
  const client = socket.client as unknown as Client
  if (!Object.hasOwn(client, 'writeToEngine') && writeFrame(socket.conn, frame)) return
  if (socket.conn.readyState === 'open') client.writeToEngine([text], { preEncoded: true, wsPreEncodedFrame: [frame] })
}

interface Client {
  writeToEngine(packets: readonly string[], options: object): void
}

/**
 * What Engine.IO and ws keep to themselves. Where anything of it is missing nothing is quick, and all goes Socket.IO's
 * way; `test/gateway/quick-packets.test.ts` shows that it is there.
 */
interface Insides {
  readonly readyState: string
  readonly writeBuffer: readonly unknown[]
  readonly transport: {
    readonly socket?: {
      readonly readyState: number
      readonly _sender?: { readonly _state: number }
      readonly _socket?: TcpSocket | null
    }
  }
}
