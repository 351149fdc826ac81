/** A packet of Engine.IO, which is handled as it is after all listeners to `packet` have seen it. */
export interface EnginePacket {
  type: string
  data?: string | Buffer
}

/** Makes of a packet the one that tells Engine.IO of a transport that broke, which ends the connection. */
export function breakOff(packet: EnginePacket): void {
  packet.type = 'error'
}

/** Of a Socket.IO packet: its type, the number of its binary parts, its namespace. */
const HEAD = /^(\d)(?:(\d+)-)?(\/[^,]*)?/
/** Characters in which a packet has said whose it is. */
const MAX_HEAD = 64

/** The namespace of a Socket.IO packet. */
export const namespaceOf = (text: string): string => HEAD.exec(text.slice(0, MAX_HEAD))?.[3] ?? '/'

/** Socket.IO's parser ends a connection that uses these names; to us they are names that nobody knows. */
const RESERVED =
  /^2(?:\/[^,]*,)?\d*\["(?=(?:connect|connect_error|disconnect|disconnecting|newListener|removeListener)")/

/** Names that Socket.IO keeps for itself become unknown ones. */
export const withoutReserved = (text: string): string => text.replace(RESERVED, (before) => `${before}reserved:`)

/**
 * No contract takes binary parts. In place of what brings some, `true` stands: nothing that a contract takes, neither
 * as data nor as `content`. Text undefined = it was an answer, of which nothing is left; null = it is not well-formed.
 */
export function withoutBinary(text: string): { readonly parts: number; readonly text: string | undefined } | null {
  const [head = '', type, parts, namespace] = HEAD.exec(text) ?? []
  if ((type !== BINARY_EVENT && type !== BINARY_ACK) || parts === undefined || Number(parts) > MAX_PARTS) return null
  if (type === BINARY_ACK) return { parts: Number(parts), text: undefined }
  const place = namespace ? `${namespace},` : ''
  const [id = ''] = /^\d*/.exec(text.slice(head.length + (namespace ? 1 : 0))) ?? []
  const args = argsIn(text.slice(head.length + (namespace ? 1 : 0) + id.length))
  return args && { parts: Number(parts), text: `2${place}${id}${JSON.stringify(args.map(withoutParts))}` }
}

/** Of socket.io-protocol 5. */
const BINARY_EVENT = '5'
const BINARY_ACK = '6'
const MAX_PARTS = 10

function argsIn(json: string): readonly unknown[] | null {
  try {
    const args: unknown = JSON.parse(json)
    return Array.isArray(args) ? args : null
  } catch {
    return null
  }
}

const holdsPart = (value: unknown): boolean => JSON.stringify(value)?.includes('"_placeholder":true') ?? false

function withoutParts(arg: unknown): unknown {
  if (!holdsPart(arg)) return arg
  const { content, ...rest } = arg as { readonly content?: unknown } // it holds a part, so it is an object
  return holdsPart(rest) || content === undefined ? true : { ...rest, content: true }
}

/** Contents have 64 KiB; with every character escaped that is six times as much. */
const MAX_READ = 512 * 1024
/** What an object of 64 KiB may have at most. */
const MAX_KEYS = 16_384

/**
 * A call that is too much to be read as JSON, which would hold up everybody else, becomes one that is refused for its
 * shape; files are one long text, and are read.
 */
export function withoutExcess(text: string): string {
  if (text.length <= MAX_READ / 4 || !hasMore(text, ':', MAX_KEYS)) return text
  const [, head] = CALL_HEAD.exec(text.slice(0, MAX_CALL_HEAD)) ?? []
  return head === undefined ? text : `${head},true]`
}

/** Whether a text has more than `most` of a character. */
export function hasMore(text: string, character: string, most: number): boolean {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) if (++count > most) return true
  return false
}

/** Type, namespace, id and name of a call. */
const CALL_HEAD = /^(2(?:\/[^,]*,)?\d*\["(?:[^"\\]|\\.)*")/
const MAX_CALL_HEAD = 256
