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
 * No contract takes binary parts. A call that announces some becomes one that is refused for its shape; undefined = it
 * was an answer, of which nothing is left.
 */
export function withoutBinary(text: string): { readonly parts: number; readonly text: string | undefined } | null {
  const [head = '', type, parts, namespace] = HEAD.exec(text) ?? []
  if ((type !== BINARY_EVENT && type !== BINARY_ACK) || parts === undefined || Number(parts) > MAX_PARTS) return null
  if (type === BINARY_ACK) return { parts: Number(parts), text: undefined }
  const [, id = '', name] = CALL.exec(text.slice(head.length + (namespace ? 1 : 0))) ?? []
  if (name === undefined) return null
  const place = namespace ? `${namespace},` : ''
  return { parts: Number(parts), text: `2${place}${id}[${name},"binary parts are not taken"]` }
}

/** Of socket.io-protocol 5. */
const BINARY_EVENT = '5'
const BINARY_ACK = '6'
const MAX_PARTS = 10
/** The id of a call that wants an ack, and the name as JSON. */
const CALL = /^(\d*)\[("(?:[^"\\]|\\.)*")/
