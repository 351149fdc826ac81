import type { Server, Socket } from 'socket.io'
import { hubRoom, personRoom } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { SocketData } from './session.ts'

/** Of socket.io-protocol 5. */
const EVENT = 2

/**
 * Pushes to this node's sockets. A notice is serialised once, however many hear it, and not at all when nobody does.
 * The in-memory adapter joins and leaves at once.
 */
export function socketOutlet(io: Server, pushed: (name: string) => void): Outlet {
  const { adapter } = io.of('/')
  const { rooms } = adapter
  return {
    push({ room, except = NOBODY }, name, data) {
      if (!rooms.has(room)) return
      pushed(name)
      // What `io.to(room).except(except).emit(name, data)` comes to, without the three operators that it makes on the
      // way.
      adapter.broadcast({ type: EVENT, data: [name, data] }, { rooms: new Set([room]), except: new Set(except) })
    },
    join: (of, into) => io.in(of).socketsJoin(into),
    leave: (of, left) => io.in(of).socketsLeave([...left]),
    disconnectUser(org, id, why) {
      const theirs = [personRoom, hubRoom].flatMap((roomOf) => [...(rooms.get(roomOf({ org, id })) ?? [])])
      for (const socketId of theirs) {
        const socket = io.of('/').sockets.get(socketId)
        if (socket) sendAway(socket, why)
      }
    },
  }
}

const NOBODY: readonly string[] = []

/** Closes a socket for good: its owner gets no grace. */
export function sendAway(socket: Socket, why: string): void {
  ;(socket.data as SocketData).dismissed = true
  socket.emit('error', { message: why })
  socket.disconnect(true)
}
