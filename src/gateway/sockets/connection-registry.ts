import type { Party, Role } from '../../../machines/kernel.ts'
import { isAnonymous } from '../../../machines/presence/anonymous.ts'
import { personName } from '../../../machines/stream.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import { type Clock, instantOf } from '../../clock.ts'
import type { Follower } from '../../delivery/follower.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import type { AliveKeys } from '../../presence/alive-keys.ts'
import type { Hubs } from '../../presence/hubs.ts'
import type { LivenessProbe, Peer } from '../../presence/liveness-probe.ts'
import type { End, PresenceTracker } from '../../presence/tracker.ts'
import type { Arrival } from './arrivals.ts'
import { ConnectionRefused } from './connection-refused.ts'

/** Whoever is not known to be here by then is sent away, to try again. */
export const ARRIVAL_MS = 15_000

export interface ConnectionRegistryOptions {
  readonly presence: PresenceTracker
  readonly online: LiveModel<OnlineRow>
  readonly follower: Pick<Follower, 'until'>
  readonly keys: AliveKeys
  readonly hubs: Hubs
  readonly liveness: LivenessProbe
  readonly clock: Clock
}

/** Makes known that a socket is here, in every place where its kind is known, and that it is gone. */
export interface ConnectionRegistry {
  /**
   * Resolves when this node would say so itself. Rejects (with ConnectionRefused when nothing is broken) having undone
   * everything; `gone` = the socket closed.
   */
  entered(arrival: Arrival, socket: string, peer: Peer, gone: AbortSignal): Promise<void>
  /**
   * Looks whether this connection, let in just now, is the return from a loss that nobody has noticed: their other
   * connections count as open, and nobody answers there. Then it is recorded as such. Never rejects.
   */
  probeOthers(arrival: Arrival, socket: string): Promise<void>
  left(arrival: Arrival, socket: string, end: End): Promise<void>
}

/**
 * A hub is nobody's presence: its person is not online by it, has no keys, and nobody is told. Everybody else is
 * present, and teachers and students are so for other programs, too.
 */
export function connectionRegistry({
  presence,
  online,
  follower,
  keys,
  hubs,
  liveness,
  clock,
}: ConnectionRegistryOptions): ConnectionRegistry {
  const here = async ({ org, id }: Party, gone: AbortSignal): Promise<void> => {
    const isHere = (): boolean => online.get(personName({ org, id })) !== undefined
    if (isHere()) return
    // Cheaper than AbortSignal.any and .timeout, and a thousand of these come at once.
    const over = new AbortController()
    const end = (): void => over.abort()
    const timer = setTimeout(end, ARRIVAL_MS)
    gone.addEventListener('abort', end)
    if (gone.aborted) end()
    const found = await follower.until(isHere, over.signal)
    clearTimeout(timer)
    gone.removeEventListener('abort', end)
    if (!found) throw new ConnectionRefused(503, 'try again')
  }

  const left: ConnectionRegistry['left'] = async ({ kind, party }, socket, end) => {
    if (kind === 'hub') return hubs.leave(party.org, socket)
    liveness.close(personName(party), socket)
    await Promise.all([keys.leave(socket), presence.disconnected(personName(party), socket, end)])
  }

  return {
    async entered(arrival, socket, peer, gone) {
      const { kind, party } = arrival
      try {
        if (kind === 'hub') await hubs.enter(party.org, socket)
        else {
          liveness.open(personName(party), socket, peer)
          await presence.connected(personName(party), roleOf(arrival), socket)
          await here(party, gone)
          await enterKeys(keys, party, socket)
        }
        // Socket.IO forgets a socket that closed meanwhile, without another word: nobody else would end what began
        // here.
        if (gone.aborted) throw new ConnectionRefused(503, 'try again')
      } catch (error) {
        await left(arrival, socket, { how: 'lost', at: clock.now() })
        throw error
      }
    },
    async probeOthers(arrival, socket) {
      const person = personName(arrival.party)
      const cameAt = clock.elapsed()
      const backBefore = online.get(person)?.loss?.backAt ?? null
      const result = await liveness.probe(person, socket)
      if (typeof result === 'number')
        await presence.recordReturn(person, roleOf(arrival), {
          lostAt: result,
          backAt: instantOf(clock, cameAt),
          backBefore,
        })
    },
    left,
  }
}

const roleOf = (arrival: Arrival): Role => (arrival.kind === 'anonymous' ? 'student' : arrival.identity.role)

async function enterKeys(keys: AliveKeys, party: Party, socket: string): Promise<void> {
  const { org, id, role } = party
  if (role !== 'teacher' && role !== 'student') return
  await keys.enter({ person: personName(party), org: isAnonymous(party) ? null : org, id, role, socket })
}
