import { type Clock, instantOf } from '../clock.ts'
import { keepNewest } from '../keep-newest.ts'
import { type Leases, LeasesUnavailable } from './leases.ts'
import type { LivenessProbe, Peer } from './liveness-probe.ts'

/**
 * How many TeacherHub connections each organisation has, on all nodes. They are nobody's presence, so nothing of them
 * is recorded.
 */
export interface Hubs {
  enter(org: string, socket: string): Promise<void>
  leave(org: string, socket: string): Promise<void>
  /**
   * A hub's connection names a lesson: whether the same person has another one that does, and if not, when they last
   * had (null = nobody knows).
   */
  watch(watch: Watch): Promise<{ readonly elsewhere: boolean; readonly lastSeen: number | null }>
  unwatch(watch: Watch): Promise<void>
  /** Rejects with LeasesUnavailable. */
  count(org: string): Promise<number>
}

export interface Watch {
  readonly org: string
  readonly hub: string
  readonly lesson: string
  readonly socket: string
  readonly peer: Peer
}

/** Kept as leases of a person that cannot be: ids have no colon. */
const holderOf = (org: string): string => `${org}.:hubs`
const watcherOf = ({ org, hub, lesson }: Watch): string => `${org}.:hub:${hub}:${lesson}`

/** Watchers whose last connection here is closed, the newest of them. */
const MAX_GONE = 1_000

export interface HubsOptions {
  readonly leases: Leases
  readonly liveness: LivenessProbe
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly onError: (error: unknown) => void
}

export function openHubs({ leases, liveness, clock, onError }: HubsOptions): Hubs {
  /** By elapsed time. */
  const gone = new Map<string, number>()
  const given = (error: unknown): void => {
    if (!(error instanceof LeasesUnavailable)) throw error
    onError(error) // it counts all the same, as soon as leases are available again
  }

  return {
    enter: async (org, socket) => void (await leases.hold(holderOf(org), socket).catch(given)),
    leave: async (org, socket) => void (await leases.release(holderOf(org), socket).catch(given)),
    async watch(watch) {
      const holder = watcherOf(watch)
      liveness.open(holder, watch.socket, watch.peer)
      await leases.hold(holder, watch.socket).catch(given)
      const result = await liveness.probe(holder, watch.socket)
      const goneAt = gone.get(holder)
      return {
        elsewhere: result === 'alive',
        lastSeen: result === 'alive' ? null : (result ?? (goneAt === undefined ? null : instantOf(clock, goneAt))),
      }
    },
    async unwatch(watch) {
      const holder = watcherOf(watch)
      liveness.close(holder, watch.socket)
      gone.delete(holder) // to stand at the end again
      gone.set(holder, clock.elapsed())
      keepNewest(gone, MAX_GONE)
      await leases.release(holder, watch.socket).catch(given)
    },
    count: async (org) => (await leases.count([holderOf(org)]))[0] ?? 0,
  }
}
