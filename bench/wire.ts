import { randomBytes } from 'node:crypto'
import { connect as connectTcp } from 'node:net'

/**
 * One Socket.IO connection over WebSocket, stripped to what a load generator needs: it must cost less than the server
 * it loads.
 */
export interface Wire {
  /** A packet as text, without the Engine.IO prefix `4`: `2["name",{…}]`, with an ack `2<id>["name",{…}]`. */
  emit(packet: string): void
  close(): void
}

/**
 * Told of each Socket.IO packet: the text from `from` to `to` of `bytes`, without the Engine.IO prefix (`2[…]` event,
 * `3<id>[…]` ack).
 */
export type Hear = (bytes: Buffer, from: number, to: number) => void

/** Whose ack a packet is, and where what it says begins; undefined: it is none. */
export function ackIn(bytes: Buffer, from: number): { readonly id: number; readonly at: number } | undefined {
  if (bytes[from] !== ACK) return undefined
  let id = 0
  let at = from + 1
  for (let digit = bytes[at] ?? 0; digit >= 48 && digit <= 57; digit = bytes[++at] ?? 0) id = id * 10 + digit - 48
  return { id, at }
}

export interface WireOptions {
  readonly url: string
  /** Goes into the Authorization header. */
  readonly token?: string
  /** What Socket.IO calls `auth`: goes into the packet that enters the namespace. */
  readonly auth?: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

/**
 * Speaks RFC 6455 (section 5.2) by itself over a bare TCP socket: masks are all zeros, so that a frame's payload is its
 * text. Resolves when the default namespace is entered; rejects with what the server said instead.
 */
export function openWire({ url, token, auth, query }: WireOptions, hear: Hear): Promise<Wire> {
  const { hostname, port } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<Wire>()
  const tcp = connectTcp({ host: hostname, port: Number(port), noDelay: true })
  const send = (text: string): void => void tcp.write(frame(text))
  const wire: Wire = { emit: (packet) => send(`4${packet}`), close: () => void tcp.destroy() }
  let chunks: Buffer[] = []
  let have = 0
  let need = 0
  let upgraded = false
  const enter = auth === undefined ? '40' : `40${JSON.stringify(auth)}`

  const packet = (bytes: Buffer, from: number, to: number): void => {
    switch (bytes[from]) {
      case PING:
        send('3')
        break
      case OPEN:
        send(enter)
        break
      case MESSAGE:
        if (bytes[from + 1] === CONNECTED) resolve(wire)
        else if (bytes[from + 1] === REFUSED) reject(new Error(`refused: ${bytes.toString('utf8', from, to)}`))
        else hear(bytes, from + 1, to)
    }
  }

  tcp.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    have += chunk.length
    if (have < need) return // a long frame is put together once, when it is all there
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    if (!upgraded) {
      at = bytes.indexOf('\r\n\r\n') + 4
      upgraded = at > 4 && bytes.toString('latin1', 0, 12).endsWith('101')
      if (!upgraded) {
        tcp.destroy(new Error(`not upgraded: ${bytes.toString('utf8')}`))
        return
      }
    }
    let found = frameAt(bytes, at)
    for (; found.to <= bytes.length; found = frameAt(bytes, at)) {
      if (found.opcode === TEXT) packet(bytes, found.from, found.to)
      at = found.to
    }
    chunks = [bytes.subarray(at)]
    have = bytes.length - at
    need = found.to - at
  })
  tcp.on('error', reject)
  tcp.on('close', () => reject(new Error(`${url} closed the connection`)))
  const path = `/socket.io/?${new URLSearchParams({ ...query, EIO: '4', transport: 'websocket' })}`
  tcp.write(
    `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
      `${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`,
  )
  return promise
}

const TEXT = 1
const ACK = '3'.charCodeAt(0)
const [OPEN, PING, MESSAGE, CONNECTED, REFUSED] = [...'02404'].map((digit) => digit.charCodeAt(0))

/** The frame of a server (unmasked) that begins at `at`; it is all there when `to` is not behind the end. */
function frameAt(bytes: Buffer, at: number): { readonly opcode: number; readonly from: number; readonly to: number } {
  const short = (bytes[at + 1] ?? 0) & 0x7f
  const header = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < at + header) return { opcode: 0, from: at + header, to: at + header }
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
  return { opcode: bytes.readUInt8(at) & 0x0f, from: at + header, to: at + header + length }
}

function frame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const header = length < 126 ? 6 : 8
  const bytes = Buffer.alloc(header + length)
  bytes[0] = 0x81
  if (length < 126) bytes[1] = 0x80 | length
  else {
    bytes[1] = 0x80 | 126
    bytes.writeUInt16BE(length, 2)
  }
  bytes.write(text, header)
  return bytes
}
