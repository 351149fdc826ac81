import { isJsonText } from '../../src/delivery/json-text.ts'
import type { Outlet } from '../../src/delivery/outlet.ts'

/** One push as somebody heard it: what JSON makes of it. */
export interface Heard {
  readonly at: number
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes, and tests look into them
  readonly data: any
}

/** Somebody who is in rooms, and remembers what was pushed there. */
export interface Member {
  readonly rooms: Set<string>
  readonly heard: Heard[]
}

/** What goes over the wire. */
export const onTheWire = (data: object): Heard['data'] =>
  JSON.parse(isJsonText(data) ? data.text : JSON.stringify(data))

/** The rooms of one node without its sockets: who is in them hears what is pushed, as Socket.IO would deliver it. */
export function rooms(now: () => number) {
  const members = new Set<Member>()
  const inRoom = (room: string): Member[] => [...members].filter((member) => member.rooms.has(room))
  const outlet: Outlet = {
    push({ room, except = [] }, name, data) {
      const hearing = inRoom(room).filter((member) => !except.some((one) => member.rooms.has(one)))
      if (hearing.length === 0) return
      const heard = { at: now(), name, data: onTheWire(data) }
      for (const member of hearing) member.heard.push(heard)
    },
    size: (room) => inRoom(room).length,
    holdsBack() {},
    join(of, into) {
      for (const member of inRoom(of)) member.rooms.add(into)
    },
    leave(of, left) {
      for (const member of inRoom(of)) for (const room of left) member.rooms.delete(room)
    },
    disconnectUser() {},
    hangUpUser() {},
  }
  return {
    outlet,
    inRoom,
    enter(...names: readonly string[]): Member {
      const member: Member = { rooms: new Set(names), heard: [] }
      members.add(member)
      return member
    },
    forget: (member: Member) => void members.delete(member),
  }
}
