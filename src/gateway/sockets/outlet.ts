import type { Server, Socket } from 'socket.io'
import { isStaff, isSupervising, type Party } from '../../../machines/kernel.ts'
import type { Audience } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { SocketData } from './sockets.ts'

/** Of socket.io-protocol 5. */
const EVENT = 2

const personRoom = (org: string, id: string): string => `person ${org}.${id}`
const staffRoom = (org: string): string => `staff ${org}`
const agentsRoom = (org: string): string => `agents ${org}`
const lessonRoom = (lesson: string): string => `lesson ${lesson}`
export const doorRoom = (lesson: string): string => `door ${lesson}`
export const courseRoom = (course: string): string => `course ${course}`
const supervisingRoom = (org: string): string => `supervising ${org}`

/** The Socket.IO rooms that a socket of this person belongs in. */
export function roomsFor({ org, id, role }: Party): string[] {
  const rooms = [personRoom(org, id)]
  if (isStaff(role)) rooms.push(staffRoom(org), isSupervising(role) ? supervisingRoom(org) : agentsRoom(org))
  return rooms
}

/**
 * The Socket.IO rooms of a TeacherHub: contract 000 calls the first by the organisation's id, every name of ours has a
 * space.
 */
export const hubRooms = ({ org, id }: Party): string[] => [org, hubRoom(org, id)]
const hubRoom = (org: string, id: string): string => `hub ${org}.${id}`

function roomOf(to: Audience): string {
  switch (to.kind) {
    case 'staff':
      return staffRoom(to.org)
    case 'agents':
      return agentsRoom(to.org)
    case 'supervising':
      return supervisingRoom(to.org)
    case 'hubs':
      return to.org
    case 'person':
      return personRoom(to.org, to.id)
    case 'lesson':
      return lessonRoom(to.lesson)
    case 'door':
      return doorRoom(to.lesson)
    case 'course':
      return courseRoom(to.course)
  }
}

/**
 * Pushes to this node's sockets. A notice is serialised once, however many hear it, and not at all when nobody does.
 */
export function socketOutlet(io: Server, pushed: (name: string) => void): Outlet {
  const { adapter } = io.of('/')
  const { rooms } = adapter
  return {
    push(to, name, data) {
      const room = roomOf(to)
      if (!rooms.has(room)) return
      pushed(name)
      const except = 'except' in to && to.except ? to.except.map((id) => personRoom(to.org, id)) : []
      // What `io.to(room).except(except).emit(name, data)` comes to, without the three operators that it makes on the
      // way.
      adapter.broadcast({ type: EVENT, data: [name, data] }, { rooms: new Set([room]), except: new Set(except) })
    },
    // The in-memory adapter does all this at once.
    enter: (org, id, lesson) => io.in(personRoom(org, id)).socketsJoin(doorRoom(lesson)),
    admit(lesson) {
      const door = io.in(doorRoom(lesson))
      door.socketsJoin(lessonRoom(lesson))
      door.socketsLeave(doorRoom(lesson))
    },
    leave: (org, id, lesson) => io.in(personRoom(org, id)).socketsLeave([lessonRoom(lesson), doorRoom(lesson)]),
    empty: (lesson) => io.in(lessonRoom(lesson)).socketsLeave(lessonRoom(lesson)),
    disconnectUser(org, id, why) {
      for (const socketId of [...(rooms.get(personRoom(org, id)) ?? []), ...(rooms.get(hubRoom(org, id)) ?? [])]) {
        const socket = io.of('/').sockets.get(socketId)
        if (socket) sendAway(socket, why)
      }
    },
  }
}

/** Closes a socket for good: its owner gets no grace. */
export function sendAway(socket: Socket, why: string): void {
  ;(socket.data as SocketData).dismissed = true
  socket.emit('error', { message: why })
  socket.disconnect(true)
}
