import type { Socket } from 'socket.io'
import { personName } from '../../../machines/stream.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Arrival } from './arrivals.ts'
import { drained, peerOf } from './connections.ts'
import type { Lane } from './lane.ts'
import type { Resumption } from './resumption.ts'

/** What the gateway remembers of one socket, once it is let in. */
export interface SocketData {
  /** Sent away by the server: its owner gets no grace. */
  dismissed?: true
  /** It is told what it has missed in place of openings. */
  isResumed: boolean
  readonly resumption: Resumption
  readonly arrival: Arrival
  readonly connection: Connection
  /** What it asks, in the order of its frames. */
  readonly lane: Lane
}

export interface ConnectionParts {
  readonly socket: Socket
  readonly arrival: Arrival
  readonly resumption: Pick<Resumption, 'client'>
  readonly person: Connection['person']
  readonly lane: Lane
  readonly emit: (socket: Socket, name: string, data: object) => void
}

/** What a contract that tells much tells before it is read. */
const TOLD_AHEAD_BYTES = 256 * 1024

/** A socket as contracts see it. Its end comes after the calls that it made. */
export function connectionOf({ socket, arrival, resumption, person, lane, emit }: ConnectionParts): Connection {
  const { handshake } = socket
  let isOver = false
  let closers: (() => void)[] = []
  const close = (): void => {
    isOver = true
    for (const run of closers) run()
    closers = []
  }
  socket.once('disconnect', () => lane.addEnd(close))

  return {
    id: socket.id,
    kind: arrival.kind,
    party: arrival.party,
    client: resumption.client === null ? null : `${resumption.client}.${personName(arrival.party)}`,
    person,
    ...(arrival.kind === 'anonymous' ? { participantToken: arrival.participant.token } : {}),
    address: handshake.address,
    query: handshake.query,
    protocol: protocolOf(handshake),
    isResumed: () => (socket.data as SocketData).isResumed,
    peer: peerOf(socket.conn),
    isOpen: () => socket.connected,
    emit: (name, data) => emit(socket, name, data),
    drained: () => drained(socket.conn, TOLD_AHEAD_BYTES),
    join: (room) => void socket.join(room), // the in-memory adapter joins at once
    leave: (room) => void socket.leave(room),
    inOrder: (work) => lane.addAlways(work), // not bounded, either: contracts put little there
    onClosed(run) {
      if (isOver) run()
      else closers.push(run)
    },
  }
}

/** In the query or in `auth`, as a text or a number; whatever else stands there is as good as nothing. */
function protocolOf({ query, auth }: Socket['handshake']): 1 | 2 {
  const { protocol } = auth as { readonly protocol?: unknown }
  return [query.protocol ?? protocol].some((asked) => asked === '2' || asked === 2) ? 2 : 1
}
