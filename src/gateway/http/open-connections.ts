import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientAddresses } from '../client-address.ts'

export interface OpenConnectionsOptions {
  readonly addresses: ClientAddresses
  readonly perAddress: number
  readonly lookMs: number
}

export interface OpenConnections {
  /** A request has come on it, as far as its headers: until it is answered the connection is of use. */
  asked(socket: Socket, response: ServerResponse): void
  /** It is no connection of HTTP any more. */
  upgraded(socket: Socket): void
}

/** Of HTTP, over all addresses: a process has 20,000 and more files open, and WebSockets need the others. */
const IN_ALL = 16_384
/** Of what an address may have open a quarter may be open without a request, beyond the time between two looks. */
const SILENT_SHARE = 4

/**
 * Bounds how many connections of HTTP are open, per address and in all; one that becomes a WebSocket counts no more.
 * What is too much is closed before a byte of it is read. A school that comes at once has as many as there are people,
 * and uses them; whoever holds them open, or sends headers that do not end, keeps a quarter of it, the newest. Behind a
 * proxy of ours only all together are counted: its own limits tell clients apart, and so does every limit of ours that
 * counts requests.
 */
export function boundConnections(server: Server, options: OpenConnectionsOptions): OpenConnections {
  const { addresses, perAddress, lookMs } = options
  const mostSilent = Math.ceil(perAddress / SILENT_SHARE)
  /** By whose address it is counted; null = by none. */
  const open = new Map<Socket, string | null>()
  const byAddress = new Map<string, number>()
  /** Those on which no request is under way, and how many looks there were when that began: the oldest first. */
  const silent = new Map<Socket, number>()
  let looks = 0

  const left = (socket: Socket): void => {
    silent.delete(socket)
    const address = open.get(socket)
    if (!open.delete(socket) || address === null || address === undefined) return
    const rest = (byAddress.get(address) ?? 1) - 1
    if (rest === 0) byAddress.delete(address)
    else byAddress.set(address, rest)
  }

  /** From the newest to the oldest: who has just come is about to ask. */
  const look = (): void => {
    looks += 1
    const counts = new Map<string, number>()
    for (const [socket, since] of [...silent].reverse()) {
      const address = open.get(socket)
      if (address === null || address === undefined || since > looks - 2) continue
      const count = (counts.get(address) ?? 0) + 1
      counts.set(address, count)
      if (count > mostSilent) socket.destroy()
    }
  }
  const timer = setInterval(look, lookMs).unref()

  server.on('connection', (socket) => {
    const { remoteAddress } = socket
    const address = addresses.isProxy(remoteAddress) ? null : addresses.of({ headers: {}, socket })
    const its = address === null ? 0 : (byAddress.get(address) ?? 0)
    if (its >= perAddress || open.size >= IN_ALL) {
      socket.destroy()
      return
    }
    open.set(socket, address)
    silent.set(socket, looks)
    if (address !== null) byAddress.set(address, its + 1)
    socket.once('close', () => left(socket))
  })
  server.once('close', () => clearInterval(timer))
  return {
    asked(socket, response) {
      silent.delete(socket)
      response.once('close', () => {
        if (open.has(socket)) silent.set(socket, looks)
      })
    },
    upgraded: left,
  }
}
