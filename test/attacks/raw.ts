import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A TCP connection to the server that sends what it likes. */
export interface Raw {
  readonly socket: Socket
  isOpen(): boolean
  /** Bytes as they are. Resolves when the kernel has taken them, or the connection is over. */
  write(bytes: string | Uint8Array): Promise<void>
  /** One WebSocket frame. */
  send(payload: string | Uint8Array, options?: FrameOptions): Promise<void>
  /** Every text frame that comes. */
  onText(listener: (text: string) => void): void
  readonly closed: Promise<void>
  close(): void
  /** It was this side that ended it. */
  isLeft(): boolean
}

export interface FrameOptions {
  readonly opcode?: number
  /** False: more of this message follows. */
  readonly isLast?: boolean
}

export interface RawOptions {
  /** Which of our own addresses it comes from: all of 127.0.0.0/8 are. */
  readonly from?: string
  /** Behind the path of Socket.IO. */
  readonly query?: string
  readonly headers?: string
}

/** Resolves when the connection is there. Nothing that becomes of it throws: it is over, and that is all. */
export async function rawConnection(url: string, from = '127.0.0.1'): Promise<Raw> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), localAddress: from })
  socket.on('error', () => {})
  let isLeft = false
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
  await Promise.race([once(socket, 'connect').catch(() => undefined), closed])
  const write: Raw['write'] = async (bytes) => {
    if (!socket.writable) return
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
  }
  return {
    ...{ socket, closed, write },
    isOpen: () => socket.writable && !socket.destroyed,
    send: (payload, options) => write(frameOf(payload, options)),
    onText: (listener) => readFrames(socket, listener),
    close() {
      isLeft = true
      socket.destroy()
    },
    isLeft: () => isLeft,
  }
}

/** A WebSocket under Engine.IO, which says nothing yet; null when it is refused. */
export async function rawWebSocket(url: string, options: RawOptions = {}): Promise<Raw | null> {
  const raw = await rawConnection(url, options.from)
  const query = `EIO=4&transport=websocket${options.query === undefined ? '' : `&${options.query}`}`
  await raw.write(
    `GET /socket.io/?${query} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${options.headers ?? ''}\r\n`,
  )
  return (await isUpgraded(raw)) ? raw : null
}

/** Somebody who is let in; null when they are not. They answer pings as long as they read. */
export async function admitted(url: string, token: string, options: RawOptions = {}): Promise<Raw | null> {
  const raw = await rawWebSocket(url, options)
  if (raw === null) return null
  const isIn = new Promise<boolean>((resolve) => {
    void raw.closed.then(() => resolve(false))
    raw.onText((text) => {
      if (text === '2') void raw.send('3')
      else if (text.startsWith('40')) resolve(true)
      else if (text.startsWith('44')) resolve(false)
    })
  })
  await raw.send(`40${JSON.stringify({ token })}`)
  if (await isIn) return raw
  raw.close()
  return null
}

/** Reads the head of the answer and no more. */
async function isUpgraded({ socket, closed }: Raw): Promise<boolean> {
  let head = ''
  for (;;) {
    const chunk = socket.read(1) as Buffer | null
    if (chunk === null) {
      const ended = await Promise.race([
        once(socket, 'readable').then(
          () => false,
          () => true,
        ),
        closed.then(() => true),
      ])
      if (ended) return false
      continue
    }
    head += chunk.toString('latin1')
    if (head.endsWith('\r\n\r\n')) return head.startsWith('HTTP/1.1 101')
  }
}

const TEXT = 1

/** One frame of a client, masked with zeros, which is a mask like any other. */
export function frameOf(payload: string | Uint8Array, { opcode = TEXT, isLast = true }: FrameOptions = {}): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const first = (isLast ? 0x80 : 0) | opcode
  const { length } = bytes
  const head = length < 126 ? Buffer.alloc(6) : length < 65_536 ? Buffer.alloc(8) : Buffer.alloc(14)
  head[0] = first
  if (length < 126) head[1] = 0x80 | length
  else if (length < 65_536) {
    head[1] = 0x80 | 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, bytes])
}

/** What a server sends is never masked. */
function readFrames(socket: Socket, listener: (text: string) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let frame = frameIn(rest); frame !== null; frame = frameIn(rest)) {
      rest = rest.subarray(frame.end)
      if (frame.opcode === TEXT) listener(frame.payload.toString())
    }
  })
}

function frameIn(bytes: Buffer): { readonly opcode: number; readonly payload: Buffer; readonly end: number } | null {
  if (bytes.length < 2) return null
  const [first = 0, second = 0] = bytes
  const size = second & 0x7f
  const start = size === 126 ? 4 : size === 127 ? 10 : 2
  if (bytes.length < start) return null
  const length = size === 126 ? bytes.readUInt16BE(2) : size === 127 ? Number(bytes.readBigUInt64BE(2)) : size
  if (bytes.length < start + length) return null
  return { opcode: first & 0x0f, payload: bytes.subarray(start, start + length), end: start + length }
}
