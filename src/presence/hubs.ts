import { type Leases, LeasesUnavailable } from './leases.ts'

/** How many TeacherHub connections each organisation has, on all nodes. They are nobody's presence, so nothing of them is recorded. */
export interface Hubs {
  enter(org: string, socket: string): Promise<void>
  leave(org: string, socket: string): Promise<void>
  /** Rejects with LeasesUnavailable. */
  count(org: string): Promise<number>
}

/** Kept as leases of a person that cannot be: ids have no colon. */
const holderOf = (org: string): string => `${org}.:hubs`

export function openHubs(leases: Leases, onError: (error: unknown) => void): Hubs {
  const given = (error: unknown): void => {
    if (!(error instanceof LeasesUnavailable)) throw error
    onError(error) // it counts all the same, as soon as leases are available again
  }

  return {
    enter: async (org, socket) => void (await leases.hold(holderOf(org), socket).catch(given)),
    leave: async (org, socket) => void (await leases.release(holderOf(org), socket).catch(given)),
    count: async (org) => (await leases.count([holderOf(org)]))[0] ?? 0,
  }
}
