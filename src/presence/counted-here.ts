import { type Leases, LeasesUnavailable } from './leases.ts'

/**
 * Leases of the one node that an embedded log has: held in both places (the scripts that keep the keys for other
 * programs read those in Redis), and counted from `own` alone, because what else Redis still holds are leases of this
 * node's dead predecessor, and would keep its people online until they expire.
 */
export function countedHere(shared: Leases, own: Leases): Leases {
  const quietly = (work: Promise<number>): Promise<unknown> =>
    work.catch((error: unknown) => {
      if (!(error instanceof LeasesUnavailable)) throw error
    })
  return {
    async hold(person, socket) {
      await quietly(shared.hold(person, socket))
      return own.hold(person, socket)
    },
    async release(person, socket) {
      await quietly(shared.release(person, socket))
      return own.release(person, socket)
    },
    count: (people) => own.count(people),
    elsewhere: (person) => own.elsewhere(person),
    async close() {
      await Promise.all([shared.close(), own.close()])
    },
  }
}
