import type { Leases } from './leases.ts'

/** Leases of an installation with one node. They need no time to live: they end with the process that holds them. */
export function memoryLeases(): Leases {
  const held = new Map<string, Set<string>>()
  const countOf = (person: string): number => held.get(person)?.size ?? 0

  return {
    async hold(person, socket) {
      held.set(person, (held.get(person) ?? new Set()).add(socket))
      return countOf(person)
    },
    async release(person, socket) {
      const sockets = held.get(person)
      sockets?.delete(socket)
      if (sockets?.size === 0) held.delete(person)
      return countOf(person)
    },
    async count(people) {
      return people.map(countOf)
    },
    elsewhere: async () => [], // there is no other node
    async close() {
      held.clear()
    },
  }
}
