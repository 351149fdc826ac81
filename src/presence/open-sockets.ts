import type { Role } from '../../machines/kernel.ts'

/** The open sockets of this node, by person. */
export interface OpenSockets {
  /** The role is that of the person's newest socket. */
  add(person: string, role: Role, socket: string): void
  /** Whether it was there. */
  remove(person: string, socket: string): boolean
  has(person: string): boolean
  holds(person: string, socket: string): boolean
  /** Undefined when they have no socket here. */
  roleOf(person: string): Role | undefined
  people(): string[]
  socketsOf(person: string): string[]
}

export function openSocketsHere(): OpenSockets {
  const open = new Map<string, { role: Role; readonly ids: Set<string> }>()

  return {
    add(person, role, socket) {
      const theirs = open.get(person) ?? { role, ids: new Set() }
      theirs.role = role
      theirs.ids.add(socket)
      open.set(person, theirs)
    },
    remove(person, socket) {
      const theirs = open.get(person)
      const was = theirs?.ids.delete(socket) ?? false
      if (theirs?.ids.size === 0) open.delete(person)
      return was
    },
    has: (person) => open.has(person),
    holds: (person, socket) => open.get(person)?.ids.has(socket) ?? false,
    roleOf: (person) => open.get(person)?.role,
    people: () => [...open.keys()],
    socketsOf: (person) => [...(open.get(person)?.ids ?? [])],
  }
}
