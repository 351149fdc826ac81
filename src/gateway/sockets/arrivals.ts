import type { Socket } from 'socket.io'
import type { Party } from '../../../machines/kernel.ts'
import { ANONYMOUS } from '../../../machines/presence/anonymous.ts'
import { personName } from '../../../machines/stream.ts'
import type { Door } from '../../delivery/contract.ts'
import { aliveKeyProblem } from '../../presence/alive-keys.ts'
import type { Entities } from '../../runtime/entities.ts'
import { type Authenticator, AuthFailure, partyOf } from '../auth/authenticator.ts'
import type { Limit } from '../auth/limits.ts'
import { type ParticipantToken, participantOf } from '../auth/participant-tokens.ts'
import { type Identity, tokenFrom } from '../auth/tokens.ts'
import { clientKindOf } from './client-kind.ts'
import { ConnectionRefused } from './connection-refused.ts'
import type { DroppedParticipants } from './dropped-participants.ts'
import { contradicts, type handshakes } from './handshake.ts'

/** Who connects, and as what. */
export type Arrival =
  | { readonly kind: 'app' | 'hub'; readonly party: Party; readonly identity: Identity }
  | { readonly kind: 'anonymous'; readonly party: Party; readonly participant: ParticipantToken }

export interface ArrivalsOptions {
  readonly handshake: ReturnType<typeof handshakes>
  readonly auth: Authenticator
  /** Of anonymous participants, who are let in without knowing anything. */
  readonly perAddress: Limit
  /** Of those among them who were never here before. */
  readonly newPeople: Limit
  readonly entities: Pick<Entities, 'state'>
  readonly dropped: DroppedParticipants
  /** Of a namespace of its own; undefined = the default one. */
  readonly door: Door | undefined
}

/**
 * Reads a connection as contract 000 has it. Who somebody is comes from the token alone, first from the header, then
 * from `auth.token`, then from the query parameter `auth`; `role=student` without any is an anonymous participant.
 * Rejects with ConnectionRefused (401, 403, 429).
 */
export function arrivals(options: ArrivalsOptions): (socket: Socket) => Promise<Arrival> {
  const { handshake, auth, perAddress, newPeople, entities, dropped, door } = options

  const spokenFor = async (socket: Socket): Promise<Identity | ParticipantToken | null> => {
    const onRequest = handshake.of(socket.request)
    const { token } = socket.handshake.auth as { token?: unknown }
    const nothing = token === undefined || token === null || token === ''
    if (onRequest.from === 'header' || nothing) return onRequest.identity ?? onRequest.participant ?? null
    const text = typeof token === 'string' ? tokenFrom(token) : null
    const found = participantOf(text ?? '') ?? (await auth.verify(text))
    if (found instanceof AuthFailure) throw new ConnectionRefused(found.isPassing ? 503 : 401, found.message)
    return found
  }

  /** Whoever was here before is welcome; a token that somebody has made up is that of nobody. */
  const mayBeNew = async (party: Party, address: string): Promise<void> => {
    const { state } = await entities.state('presence', personName(party))
    const allowed = state.context.role !== null || newPeople.take(`participant ${address}`)
    if (allowed === true) return
    dropped.forget(party.id)
    throw new ConnectionRefused(429, `too many new participants: try again in ${Math.ceil(allowed / 1000)} s`)
  }

  return async (socket) => {
    const { query, address } = socket.handshake
    const found = await spokenFor(socket)
    if (door && (found === null || 'token' in found))
      throw new ConnectionRefused(401, 'a token is needed: send it as Authorization: Bearer, or as auth.token')
    if (found === null && query.role !== 'student') {
      throw new ConnectionRefused(401, 'a token is needed: send it as auth.token; only role=student may come without')
    }
    if (found === null || 'token' in found) {
      const allowed = perAddress.take(address)
      if (allowed !== true)
        throw new ConnectionRefused(429, `too many connections: try again in ${Math.ceil(allowed / 1000)} s`)
      if (found !== null) dropped.forget(found.id) // a client that keeps its token comes with it
      const participant = found ?? (await dropped.arrive(socket))
      const party: Party = { id: participant.id, org: ANONYMOUS, role: 'student' }
      agree(query, party)
      await mayBeNew(party, address)
      return { kind: 'anonymous', party, participant }
    }
    const party = partyOf(found)
    if (door && !door.roles.some((role) => role === party.role))
      throw new ConnectionRefused(403, `this is not for ${party.role}s: it is for ${door.roles.join(', ')}`)
    agree(query, party)
    const entrance = clientKindOf(found.role, query.product_type)
    if ('problem' in entrance) throw new ConnectionRefused(403, entrance.problem)
    const problem = found.role === 'teacher' && entrance.kind === 'app' ? aliveKeyProblem(found.org) : undefined
    if (problem !== undefined) throw new ConnectionRefused(403, problem)
    return { kind: entrance.kind, party, identity: found }
  }
}

function agree(query: Readonly<Record<string, unknown>>, party: Party): void {
  const contradiction = contradicts(query, party)
  if (contradiction !== undefined) throw new ConnectionRefused(401, contradiction)
}
