import type { Server, Socket } from 'socket.io'
import { hubRoom, personRoom } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { CursorSockets } from './cursor-sockets.ts'
import { pushPacket } from './quick-frames.ts'
import type { Receipts } from './receipts.ts'
import type { SocketData } from './session.ts'

/** Of socket.io-protocol 5. */
const EVENT = 2

export interface SocketOutletOptions {
  readonly io: Server
  readonly cursorSockets: CursorSockets
  readonly receipts: Pick<Receipts, 'pushed'>
  readonly pushed: (name: string) => void
  readonly namespaces: readonly string[]
}

/**
 * Pushes to this node's sockets. A notice is serialised once, however many hear it, and not at all when nobody does.
 * The in-memory adapter joins and leaves at once.
 */
export function socketOutlet({ io, cursorSockets, receipts, pushed, namespaces }: SocketOutletOptions): Outlet {
  const all = namespaces.map((name) => io.of(name))
  const { rooms } = io.of('/').adapter

  const socketsOf = (org: string, id: string): Socket[] =>
    all.flatMap(({ adapter, sockets }) =>
      [personRoom, hubRoom]
        .flatMap((roomOf) => [...(adapter.rooms.get(roomOf({ org, id })) ?? [])])
        .flatMap((socketId) => sockets.get(socketId) ?? []),
    )

  return {
    push({ room, except = NOBODY, namespace = '/' }, name, data, told) {
      const its = io.of(namespace)
      const { rooms } = its.adapter
      const inRoom = rooms.get(room)
      if (!inRoom) return
      pushed(name)
      if (namespace === '/') receipts.pushed(room)
      const isExcepted = (id: string): boolean => except.some((one) => rooms.get(one)?.has(id) === true)
      const hearers = except.length === 0 ? inRoom : [...inRoom].filter((id) => !isExcepted(id))
      const withCursor = cursorSockets.among(hearers)
      const others = withCursor.length === 0 ? hearers : [...hearers].filter((id) => !cursorSockets.has(id))
      pushPacket(its, { type: EVENT, data: [name, data], nsp: namespace }, others)
      if (withCursor.length > 0) cursorSockets.push(withCursor, name, data, told)
    },
    size: (room) => rooms.get(room)?.size ?? 0,
    holdsBack: cursorSockets.holdsBack,
    join: (of, into) => io.in(of).socketsJoin(into),
    leave: (of, left) => io.in(of).socketsLeave([...left]),
    disconnectUser(org, id, why) {
      for (const socket of socketsOf(org, id)) sendAway(socket, why)
    },
    hangUpUser(org, id, why) {
      for (const socket of socketsOf(org, id)) hangUpOn(socket, why)
    },
  }
}

const NOBODY: readonly string[] = []

/** Ends a connection as a lost one, after what was written to it: its owner has the grace, and may come back. */
export function hangUpOn(socket: Socket, why: string): void {
  socket.emit('error', { message: why })
  socket.conn.close() // a disconnect packet would keep the client away for good
}

/** Closes a socket for good: its owner gets no grace. */
export function sendAway(socket: Socket, why: string): void {
  ;(socket.data as SocketData).dismissed = true
  socket.emit('error', { message: why })
  socket.disconnect(true)
}
