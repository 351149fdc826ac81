import type { Server, Socket } from 'socket.io'

/** The parts of a WebSocket transport that are touched here; ws names them with an underscore. */
interface Transport {
  readonly socket?: { readonly _socket?: { cork(): void; uncork(): void } | null }
}

/**
 * Lets packets that wait for one connection leave in one system call. Engine.IO hands them to ws one by one, and ws
 * writes each by itself: for somebody who hears many chats that is most of what a push costs. Engine.IO tells before
 * (`flush`) and after (`drain`) it hands them over, in one go. A transport that looks different is left alone.
 */
export function corkWrites(io: Server): void {
  let corked: { uncork(): void } | undefined
  io.engine.on('flush', (connection: Socket['conn'], packets: readonly unknown[]) => {
    if (packets.length < 2) return
    const tcp = (connection.transport as unknown as Transport).socket?._socket
    tcp?.cork()
    corked = tcp ?? undefined
  })
  io.engine.on('drain', () => {
    corked?.uncork()
    corked = undefined
  })
}
