import type { Party } from '../../machines/kernel.ts'
import type { Connection } from '../../src/delivery/connection.ts'

/** A connection without a socket: it keeps what it is told, and the rooms that it is in. */
export interface FakeConnection extends Connection {
  readonly heard: { readonly name: string; readonly data: unknown }[]
  readonly rooms: Set<string>
  close(): void
}

let connections = 0

export function fakeConnection(party: Party, more: Partial<Connection> = {}): FakeConnection {
  const heard: FakeConnection['heard'] = []
  const rooms = new Set<string>()
  const closers: (() => void)[] = []
  let open = true
  return {
    id: `connection-${++connections}`,
    kind: 'app',
    party,
    client: null,
    person: { profile: {}, createdAt: 0, updatedAt: null },
    address: '127.0.0.1',
    query: {},
    protocol: 2,
    isResumed: () => false,
    peer: { heardAt: () => 0, answers: async () => true },
    isOpen: () => open,
    emit: (name, data) => void heard.push({ name, data }),
    drained: async () => {},
    join: (room) => void rooms.add(room),
    leave: (room) => void rooms.delete(room),
    inOrder: (work) => void work(() => {}),
    onClosed: (run) => void closers.push(run),
    ...more,
    heard,
    rooms,
    close() {
      open = false
      for (const run of closers.splice(0)) run()
    },
  }
}
