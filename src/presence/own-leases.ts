/**
 * What a node knows of its own leases whether or not Redis hears of it: the sockets it holds, and those it could not
 * give back yet.
 */
export interface OwnLeases {
  add(person: string, socket: string): void
  /** From now on owed, until `settled`. */
  remove(person: string, socket: string): void
  settled(person: string, socket: string): void
  has(person: string, socket: string): boolean
  all(): [person: string, socket: string][]
  owed(): [person: string, socket: string][]
  owedOf(person: string): [person: string, socket: string][]
}

export function ownLeases(): OwnLeases {
  const held = new Map<string, [string, string]>()
  const owed = new Map<string, [string, string]>()
  /** The same, by person and socket. */
  const byPerson = new Map<string, Map<string, [string, string]>>()
  const key = (person: string, socket: string): string => `${person}/${socket}`

  const settled = (person: string, socket: string): void => {
    owed.delete(key(person, socket))
    const theirs = byPerson.get(person)
    if (theirs?.delete(socket) && theirs.size === 0) byPerson.delete(person)
  }

  return {
    add(person, socket) {
      settled(person, socket)
      held.set(key(person, socket), [person, socket])
    },
    remove(person, socket) {
      held.delete(key(person, socket))
      owed.set(key(person, socket), [person, socket])
      const theirs = byPerson.get(person) ?? new Map()
      byPerson.set(person, theirs.set(socket, [person, socket]))
    },
    settled,
    has: (person, socket) => held.has(key(person, socket)),
    all: () => [...held.values()],
    owed: () => [...owed.values()],
    owedOf: (person) => [...(byPerson.get(person)?.values() ?? [])],
  }
}
