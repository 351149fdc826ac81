import type { Socket } from 'socket.io'
import type { Clock } from '../../clock.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Opening, Served } from '../../delivery/contract.ts'
import { hubRoom, personRoom } from '../../delivery/notice.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { type HeldEvents, holdEvents } from './held-events.ts'
import { sendAway } from './outlet.ts'
import type { SocketData } from './session.ts'

export interface ArrivingOptions {
  readonly contracts: readonly Pick<Served, 'rooms' | 'prepare' | 'arrive'>[]
  readonly profiles: Pick<ProfileCache, 'get'>
  readonly registry: Pick<ConnectionRegistry, 'probeOthers'>
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

/** Openings that go on being behind what is pushed; then the client is to try again. */
const MAX_ROUNDS = 10

/**
 * What a connection is told on arrival. It enters its rooms at once: what is recorded later comes as a push, what was
 * recorded before is in its openings. Where these have to be read first, pushes wait until they are told.
 */
export function arriving(options: ArrivingOptions): (socket: Socket) => void {
  const { contracts, profiles, registry, clock, onError } = options

  const tellOpenings = (socket: Socket): void => {
    const { connection, arrival } = socket.data as SocketData
    let probe = false
    for (const contract of contracts) if (contract.arrive?.(connection) === 'probe') probe = true
    if (probe) void registry.probeOthers(arrival, socket.id, clock.now()) // never rejects
  }

  const prepared = (connection: Connection): readonly (Opening | Promise<Opening>)[] =>
    contracts.flatMap(({ prepare }) => prepare?.(connection) ?? [])

  /** In one turn: what waited goes out, then the openings, which show what it told. */
  const settle = async (socket: Socket, held: HeldEvents, first: ReturnType<typeof prepared>): Promise<void> => {
    const { connection } = socket.data as SocketData
    let preparing = first
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const openings = await Promise.all(preparing)
      if (!connection.isOpen()) return
      held.release()
      if (openings.every((tell) => tell())) return tellOpenings(socket)
      preparing = prepared(connection)
    }
    throw new Error(`what a new connection is told was behind ${MAX_ROUNDS} times`)
  }

  return (socket) => {
    const { connection } = socket.data as SocketData
    const { party, kind } = connection
    const own = kind === 'hub' ? hubRoom(party) : personRoom(party)
    // The in-memory adapter joins at once.
    void socket.join([own, ...contracts.flatMap((contract) => contract.rooms?.(connection) ?? [])])
    // Who is disabled from now on is sent away by the outlet; who was disabled while being let in, here.
    if (profiles.get(party)?.disabled) {
      sendAway(socket, 'this account is disabled')
      return
    }
    const broken = (error: unknown): void => {
      onError(error, 'an arrival')
      socket.emit('error', { message: 'something broke on our side; it has been logged' })
      socket.conn.close() // lost, not sent away: clients try again by themselves
    }
    try {
      const openings = prepared(connection)
      if (openings.some((opening) => opening instanceof Promise))
        return void settle(socket, holdEvents(socket), openings).catch(broken)
      for (const tell of openings) (tell as Opening)() // of this very turn, so that nothing is behind
      tellOpenings(socket)
    } catch (error) {
      broken(error)
    }
  }
}
