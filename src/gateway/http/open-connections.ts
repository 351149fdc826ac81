import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientAddresses } from '../client-address.ts'

export interface OpenConnectionsOptions {
  readonly addresses: ClientAddresses
  readonly perAddress: number
}

/** Of HTTP, over all addresses: a process has 20,000 and more files open, and WebSockets need the others. */
const IN_ALL = 16_384

/**
 * Bounds how many connections of HTTP are open, per address and in all; one that becomes a WebSocket counts no more.
 * What is too much is closed before a byte of it is read. Behind a proxy of ours only all together are counted: its
 * own limits tell clients apart, and so does every limit of ours that counts requests.
 */
export function boundConnections(server: Server, { addresses, perAddress }: OpenConnectionsOptions): void {
  const open = new Map<Socket, string | null>()
  const byAddress = new Map<string, number>()

  const left = (socket: Socket): void => {
    const address = open.get(socket)
    if (!open.delete(socket) || address === null || address === undefined) return
    const rest = (byAddress.get(address) ?? 1) - 1
    if (rest === 0) byAddress.delete(address)
    else byAddress.set(address, rest)
  }

  server.on('connection', (socket) => {
    const { remoteAddress } = socket
    const address = addresses.isProxy(remoteAddress) ? null : addresses.of({ headers: {}, socket })
    const its = address === null ? 0 : (byAddress.get(address) ?? 0)
    if (its >= perAddress || open.size >= IN_ALL) {
      socket.destroy()
      return
    }
    open.set(socket, address)
    if (address !== null) byAddress.set(address, its + 1)
    socket.once('close', () => left(socket))
  })
  server.on('upgrade', (_, socket) => left(socket as Socket)) // of a TCP server
}
