import type { Server } from 'socket.io'
import { isOver, terminate } from './connections.ts'

/**
 * Closes every connection after what was written to it, without a Socket.IO disconnect packet: to clients it is a lost
 * connection, and they come back by themselves to the next server. Who has not taken what was written within `limitMs`
 * is cut off, so that nobody who does not read keeps a server from stopping. Who is still saying who they are stays.
 */
export async function hangUp(io: Server, namespaces: readonly string[], limitMs: number): Promise<void> {
  const sockets = namespaces.flatMap((name) => [...io.of(name).sockets.values()])
  const open = [...new Set(sockets.map(({ conn }) => conn))]
  for (const connection of open) connection.close()
  const deadline = performance.now() + limitMs
  while (!open.every(isOver) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  for (const connection of open) if (!isOver(connection)) terminate(connection)
}
