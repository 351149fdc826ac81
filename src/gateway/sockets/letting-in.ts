import type { Socket } from 'socket.io'
import { type Party, Refusal } from '../../../machines/kernel.ts'
import { isOutdated } from '../../../machines/person/log-in.ts'
import { type PersonRef, personName } from '../../../machines/stream.ts'
import type { Connection } from '../../delivery/connection.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import { OUTDATED } from '../auth/accounts.ts'
import type { Limit } from '../auth/limits.ts'
import type { Identity } from '../auth/tokens.ts'
import type { Arrival } from './arrivals.ts'
import { ConnectionRefused, DAMAGED } from './connection-refused.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { peerOf } from './connections.ts'
import { openLane } from './lane.ts'
import type { Resumption } from './resumption.ts'
import { type ConnectionParts, connectionOf, type SocketData } from './session.ts'

export interface LettingInOptions {
  readonly arrive: (socket: Socket) => Promise<Arrival>
  readonly entities: Entities
  readonly registry: ConnectionRegistry
  readonly resumption: (socket: Socket, person: PersonRef) => Promise<Resumption>
  readonly emit: ConnectionParts['emit']
  /** How often one person may come: each time is recorded. */
  readonly returns: Limit
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Lets one socket in: who they are, that they are known, that they are here. Rejects with ConnectionRefused when
 * nothing is broken, having undone everything.
 */
export function lettingIn(options: LettingInOptions): (socket: Socket) => Promise<void> {
  const { arrive, entities, registry, emit, returns, now } = options

  const letIn = async (socket: Socket, gone: AbortSignal): Promise<void> => {
    const arrival = await arrive(socket)
    const may = returns.take(personName(arrival.party))
    if (may !== true)
      throw new ConnectionRefused(429, `too many connections of one person: try again in ${Math.ceil(may / 1000)} s`)
    const resumption = await options.resumption(socket, arrival.party)
    const person: Connection['person'] =
      arrival.kind === 'anonymous'
        ? { profile: {}, createdAt: now(), updatedAt: null }
        : await introduced(arrival.identity, arrival.party)
    const lane = openLane()
    const connection = connectionOf({ socket, arrival, resumption, person, lane, emit })
    const isResumed = resumption.after !== undefined
    socket.data = { arrival, connection, lane, resumption, isResumed } satisfies SocketData
    // Last of all: nothing may fail between being here and being let in, or they would stay.
    await registry.entered(arrival, socket.id, peerOf(socket.conn), gone)
  }

  const introduced = async (identity: Identity, by: Party): Promise<Connection['person']> => {
    const { role, profile, profileAt } = identity
    const command = { type: 'Introduce', role, profile, issuedAt: profileAt, by, at: now() } as const
    const answer = await entities.ask('person', personName(by), command)
    if (answer instanceof Refusal) {
      if (isDamaged(answer)) throw new ConnectionRefused(403, DAMAGED)
      throw answer.code === 'account-disabled'
        ? new ConnectionRefused(401, 'this account is disabled')
        : new ConnectionRefused(503, `${answer.code}: try again`)
    }
    const { context: person } = (await entities.state('person', personName(by))).state
    if (isOutdated(identity, person)) throw new ConnectionRefused(401, OUTDATED)
    return person
  }

  return async (socket) => {
    const gone = new AbortController()
    const giveUp = (): void => gone.abort()
    socket.conn.once('close', giveUp)
    try {
      await letIn(socket, gone.signal)
    } finally {
      socket.conn.off('close', giveUp) // nothing of this may stay for as long as the connection lives
    }
  }
}
