import { connect } from 'node:net'

/** A WebSocket byte by byte, for what no client library sends. */
export interface RawSocket {
  write(bytes: Buffer | string): void
  /** What the server sent as text frames, in order. */
  readonly texts: readonly string[]
  /** Resolves to the first text frame, past or to come, that passes. */
  text(passes: (text: string) => boolean): Promise<string>
  readonly closed: Promise<void>
  close(): void
}

const MASK = 0x80
const TEXT = 1
const CLOSE = 8

/** A frame of a client, masked with zeros; `whole`: what it says its length is. */
export function frameOf(payload: string | Buffer, { opcode = TEXT, isFinal = true, whole = -1 } = {}): Buffer {
  const bytes = Buffer.from(payload)
  const length = whole < 0 ? bytes.length : whole
  const isShort = length < 126
  const head = Buffer.alloc(isShort ? 6 : 14) // the mask stands last
  head[0] = (isFinal ? 0x80 : 0) | opcode
  head[1] = MASK | (isShort ? length : 127)
  if (!isShort) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, bytes])
}

/** Opens a WebSocket of Engine.IO 4. Rejects with the status line when it is not let in. */
export async function rawSocket(url: string, query = '', isStubborn = false): Promise<RawSocket> {
  const { hostname, port } = new URL(url)
  const tcp = connect(Number(port), hostname)
  const texts: string[] = []
  const watchers = new Set<() => void>()
  const closed = new Promise<void>((resolve) => tcp.once('close', () => resolve()))
  let bytes = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk])
    for (let next = nextFrame(bytes); next; next = nextFrame(bytes)) {
      bytes = bytes.subarray(next.end)
      if (next.opcode === TEXT) texts.push(next.payload.toString())
      if (next.opcode === CLOSE && !isStubborn) tcp.end()
    }
    for (const look of [...watchers]) look()
  }
  tcp.on('error', () => {}) // told by `closed`
  tcp.write(
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await new Promise<void>((resolve, reject) => {
    let head = ''
    const answered = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      tcp.off('data', answered)
      if (!head.startsWith('HTTP/1.1 101')) reject(new Error(head.slice(0, head.indexOf('\r\n'))))
      tcp.on('data', read)
      read(Buffer.from(head.slice(end + 4), 'latin1'))
      resolve()
    }
    tcp.on('data', answered)
    void closed.then(() => reject(new Error('closed')))
  })
  return {
    write: (what) => void tcp.write(what),
    texts,
    text: (passes) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = texts.find(passes)
          if (found === undefined) return
          watchers.delete(look)
          resolve(found)
        }
        watchers.add(look)
        look()
        void closed.then(() => reject(new Error(`closed; heard were ${texts.join(' ')}`)))
      }),
    closed,
    close: () => void tcp.destroy(),
  }
}

function nextFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = (bytes[1] ?? 0) & 0x7f
  const at = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < at) return undefined
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (bytes.length < at + length) return undefined
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(at, at + length), end: at + length }
}
