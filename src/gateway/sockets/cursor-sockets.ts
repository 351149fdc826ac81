import type { Namespace, Socket } from 'socket.io'
import { earlier, isAfter } from '../../delivery/cursor.ts'
import { cursorAfter, cursorBefore, type PlacedNotice } from '../../delivery/placed-notice.ts'
import { emitAnswer } from './held-events.ts'
import { pushPacket } from './quick-frames.ts'

/**
 * The sockets of clients that asked for it (`resume=1`): each push to them brings, as its last argument, the cursor of
 * whoever has been told everything up to and with it. Socket.IO's own clients keep the last one, and send it as
 * `offset` when they come back.
 */
export interface CursorSockets {
  /** `until`: what a socket has been told before; notices up to there do not go to it again. */
  add(socket: Socket, until: string): void
  has(id: string): boolean
  /** Of whoever has been told everything that this node has told this socket. */
  cursorOf(socket: Socket): string
  /** Those of these ids that are such sockets. */
  among(ids: Iterable<string>): readonly string[]
  /** To one socket of any kind: how something stands now. */
  emit(socket: Socket, name: string, data: object): void
  /** To these sockets, of which all are here. */
  push(ids: Iterable<string>, name: string, data: object, told: PlacedNotice | undefined): void
  /** See `Outlet.holdsBack`. */
  holdsBack(room: string, oldest: PlacedNotice | undefined): void
}

/** Of socket.io-protocol 5. */
const EVENT = 2

/** `pos`: the cursor of whoever has been told everything that this node has. */
export function cursorSockets(pos: () => string): CursorSockets {
  const toldUntil = new Map<string, { readonly socket: Socket; readonly until: string }>()
  /** The oldest notice that waits in each room. */
  const floors = new Map<string, PlacedNotice>()

  /** Nobody may claim to know what still waits for them in one of their rooms. */
  const floored = (cursor: string, socket: Socket): string => {
    let lowest = cursor
    for (const [room, oldest] of floors) if (socket.rooms.has(room)) lowest = earlier(lowest, cursorBefore(oldest))
    return lowest
  }

  return {
    add(socket, until) {
      if (!toldUntil.has(socket.id)) socket.once('disconnect', () => toldUntil.delete(socket.id))
      toldUntil.set(socket.id, { socket, until })
    },
    has: (id) => toldUntil.has(id),
    cursorOf: (socket) => floored(pos(), socket),
    among: (ids) => (toldUntil.size === 0 ? NOBODY : [...ids].filter((id) => toldUntil.has(id))),
    emit: (socket, name, data) =>
      emitAnswer(socket, () => {
        if (toldUntil.has(socket.id)) socket.emit(name, data, floored(pos(), socket))
        else socket.emit(name, data)
      }),
    push(ids, name, data, told) {
      const cursor = told ? cursorAfter(told) : pos()
      const byCursor = new Map<string, Set<string>>()
      let nsp: Namespace | undefined
      for (const id of ids) {
        const its = toldUntil.get(id)
        if (!its || (told && !isAfter(cursor, its.until))) continue
        nsp = its.socket.nsp // all of one push are in one
        const own = floors.size === 0 ? cursor : floored(cursor, its.socket)
        byCursor.set(own, (byCursor.get(own) ?? new Set()).add(id))
      }
      if (!nsp) return
      for (const [own, sockets] of byCursor)
        pushPacket(nsp, { type: EVENT, data: [name, data, own], nsp: nsp.name }, sockets)
    },
    holdsBack(room, oldest) {
      if (oldest) floors.set(room, oldest)
      else floors.delete(room)
    },
  }
}

const NOBODY: readonly string[] = []
