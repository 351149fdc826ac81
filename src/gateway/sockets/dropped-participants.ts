import { hash } from 'node:crypto'
import type { Socket } from 'socket.io'
import type { Party } from '../../../machines/kernel.ts'
import { ANONYMOUS } from '../../../machines/presence/anonymous.ts'
import { personIn, personName } from '../../../machines/stream.ts'
import type { Node, Served } from '../../delivery/contract.ts'
import { LOST } from '../../delivery/online-model.ts'
import type { GuestStore } from '../../presence/guest-file.ts'
import type { Peer } from '../../presence/liveness-probe.ts'
import { newParticipant, type ParticipantToken } from '../auth/participant-tokens.ts'
import { peerOf } from './connections.ts'

export interface DroppedParticipantsOptions extends Pick<Node, 'online' | 'clock'> {
  readonly config: Pick<Node['config'], 'disconnectGraceMs'>
  readonly follower: Pick<Node['follower'], 'until'>
  readonly contracts: readonly Pick<Served, 'keepsPlace'>[]
  /** Whoever is found there and still counts as here was lost with the process before. */
  readonly store: GuestStore
}

/**
 * Who comes without any token, and whom of them this node, or its process before, has lost: their clients know no
 * token, and come back with the handshake that they had.
 */
export interface DroppedParticipants {
  /** Who is it? The one who was lost, if it can be no other; otherwise somebody new. Never rejects. */
  arrive(socket: Pick<Socket, 'conn' | 'handshake'>): Promise<ParticipantToken>
  /** They meant to go, or keep their token: whoever comes without one is somebody else. */
  forget(id: string): void
}

/** Several who were lost with one handshake cannot be told apart: they need not all be looked at. */
const MAX_LOST_ALIKE = 16
/** Nor must one arrival ask a whole school. */
const MAX_ASKED = 200
const MAX_LOST = 10_000
/** Longer than a loss takes to be recorded, or a client that is there to answer. */
const WAIT_MS = 1_000

interface Guest {
  readonly participant: ParticipantToken
  readonly party: Party
  readonly handshake: string
  /** The newest connection; undefined = of a process that has ended. */
  peer?: Peer
  /** When it is too late to come back, by elapsed time. */
  until: number
  /** Their connection, which may outlive their being in the namespace, leads nowhere any more. */
  unwatch?: () => void
}

/** Guests whose handshakes are alike. */
interface Alike {
  readonly open: Set<Guest>
  readonly lost: Set<Guest>
}

export function droppedParticipants(options: DroppedParticipantsOptions): DroppedParticipants {
  const { online, follower, contracts, config, store } = options
  const { elapsed } = options.clock
  const guests = new Map<string, Guest>()
  const byHandshake = new Map<string, Alike>()
  /** In the order of their losses. */
  const lost = new Set<Guest>()

  const forget = (id: string): void => {
    const guest = guests.get(id)
    if (guest === undefined) return
    guests.delete(id)
    store.drop(id)
    guest.unwatch?.()
    lost.delete(guest)
    const alike = byHandshake.get(guest.handshake)
    alike?.open.delete(guest)
    alike?.lost.delete(guest)
    if (alike?.open.size === 0 && alike.lost.size === 0) byHandshake.delete(guest.handshake)
  }

  const drop = (guest: Guest): void => {
    if (guests.get(guest.participant.id) !== guest) return
    guest.until = elapsed() + config.disconnectGraceMs
    lost.add(guest)
    alikeOf(guest).open.delete(guest)
    alikeOf(guest).lost.add(guest)
    for (const oldest of lost) {
      if (lost.size <= MAX_LOST && oldest.until > elapsed()) return
      forget(oldest.participant.id)
    }
  }

  const alikeOf = ({ handshake }: Guest): Alike => {
    const known = byHandshake.get(handshake)
    if (known) return known
    const alike = { open: new Set<Guest>(), lost: new Set<Guest>() }
    byHandshake.set(handshake, alike)
    return alike
  }

  /** Until `guest` meant to go, or is lost. */
  const watch = (guest: Guest, { conn }: Pick<Socket, 'conn'>): ParticipantToken => {
    const { id, token } = guest.participant
    if (!guests.has(id)) store.put({ id, token, handshake: guest.handshake })
    guests.set(id, guest)
    lost.delete(guest)
    alikeOf(guest).lost.delete(guest)
    alikeOf(guest).open.add(guest)
    guest.peer = peerOf(conn)
    if (conn.readyState === 'closed') drop(guest)
    else {
      const closed = (): void => drop(guest)
      conn.once('close', closed)
      guest.unwatch = () => void conn.off('close', closed)
    }
    return guest.participant
  }

  type Query = Socket['handshake']['query']
  const keepsPlace = (party: Party, query: Query): boolean => contracts.some((one) => one.keepsPlace?.(party, query))
  const lostOf = (alike: Alike, query: Query): readonly Guest[] =>
    [...alike.lost].filter(({ party, until }) => until > elapsed() && keepsPlace(party, query))
  const stateOf = ({ party }: Guest) => online.get(personName(party))?.state

  /** What closed here is recorded in a moment. */
  const isRecorded = (guest: Guest): Promise<boolean> =>
    follower.until(() => stateOf(guest) !== 'online', AbortSignal.timeout(WAIT_MS))

  /** Lost by another node; some of them bring their token, but that nobody knows. */
  const othersAreLost = (query: Query): boolean => {
    for (const [person] of online.list(LOST)) {
      const { org, id } = personIn(person)
      if (org === ANONYMOUS && !guests.has(id) && keepsPlace(anonymousParty(id), query)) return true
    }
    return false
  }

  /** The only one who can have come back with this handshake. */
  const onlyOneLost = async (handshake: string, query: Query): Promise<Guest | undefined> => {
    const alike = byHandshake.get(handshake)
    if (!alike || alike.lost.size === 0 || alike.lost.size > MAX_LOST_ALIKE || alike.open.size > MAX_ASKED) return
    const closed = lostOf(alike, query)
    // Who counts as online all the same is so by another connection, or a slow log has not told yet.
    if ((await Promise.all(closed.map(isRecorded))).includes(false)) return
    const [guest, ...more] = closed.filter((one) => stateOf(one) === 'lost')
    if (guest === undefined || more.length > 0 || othersAreLost(query)) return
    // Where a whole class drops, this node hears of one loss before another: it can be whoever does not answer.
    const others = [...alike.open].filter(({ party }) => keepsPlace(party, query))
    if ((await Promise.all(others.map(({ peer }) => peer?.answers(WAIT_MS) ?? false))).includes(false)) return
    return lostOf(alike, query).every((one) => closed.includes(one)) ? guest : undefined
  }

  for (const { id, token, handshake } of store.found) {
    const guest: Guest = { participant: { id, token }, party: anonymousParty(id), handshake, until: 0 }
    guests.set(id, guest)
    alikeOf(guest).open.add(guest)
    if (stateOf(guest) === undefined) forget(id)
    else drop(guest)
  }

  return {
    forget,
    async arrive(socket) {
      const { handshake } = socket
      const key = keyOf(handshake)
      const guest = await onlyOneLost(key, handshake.query)
      // Another one may have been as fast: whoever is first in this turn has it.
      if (guest !== undefined && lost.has(guest)) return watch(guest, socket)
      const participant = newParticipant()
      return watch(
        { participant, party: anonymousParty(participant.id), handshake: key, peer: peerOf(socket.conn), until: 0 },
        socket,
      )
    },
  }
}

const anonymousParty = (id: string): Party => ({ id, org: ANONYMOUS, role: 'student' })

/** Engine.IO's own parameters, which differ from connection to connection. */
const ENGINES = new Set(['EIO', 'transport', 't', 'sid', 'j', 'b64'])

/**
 * What a client's connections have in common. `x-forwarded-for` can be anybody's invention: here it only tells apart,
 * behind a proxy, whom the address does not.
 */
function keyOf({ address, headers, query }: Socket['handshake']): string {
  const asked = Object.entries(query).filter(([name]) => !ENGINES.has(name))
  asked.sort(([one], [other]) => (one < other ? -1 : 1))
  const text = JSON.stringify([address, headers['user-agent'], headers['x-forwarded-for'], asked])
  return hash('sha256', text, 'base64url')
}
