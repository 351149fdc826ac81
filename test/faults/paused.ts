import type { Socket as Tcp } from 'node:net'
import type { Socket } from 'socket.io-client'

/**
 * The TCP connection under a client (private to its libraries): to stop reading from it as a hung program or a dead
 * network does.
 */
export function tcpUnder(socket: Socket): Tcp {
  const { ws } = socket.io.engine.transport as unknown as { ws: { _socket: Tcp } }
  return ws._socket
}
