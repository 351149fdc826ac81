import type { Checkpoint } from '../log/log.ts'
import { later } from './position.ts'
import { type ViewStore, ViewsUnavailable } from './store.ts'
import type { ViewFollower } from './view-follower.ts'

/** How long a reader waits for a table that has just been switched, or emptied and filled again. */
const CATCH_UP_MS = 500

/** Asks the serving table something, and tells the position that the answer is true at. */
export type MonotonicRead = <A extends { readonly upTo: Checkpoint | null }>(
  ask: (table: string) => Promise<A>,
) => Promise<Omit<A, 'upTo'> & { readonly position: bigint | null }>

/**
 * Reads one view such that positions never go back: after a switch, a loss or a restored copy the reader waits a moment
 * for the table to come as far as has been told before, and is told to come back (ViewsUnavailable) when it does not.
 * So is whoever would see a table that another log, or none, has brought to where it stands: a store may be exchanged
 * between any two questions.
 */
export function monotonicRead(view: string, store: ViewStore, follower: ViewFollower): MonotonicRead {
  let told: bigint | null = null

  return async (ask) => {
    for (let attempt = 0; attempt < 3; attempt++) {
      // The store is asked itself when this runner does not know (yet), or knows what is no longer true.
      const table = (attempt === 0 ? follower.table() : null) ?? (await store.live(view))
      if (table === null || follower.mistrusts(table)) break
      const { upTo, ...answer } = await ask(table)
      const position = follower.extent(table, upTo)
      // There are events, and the table has seen none: the store was emptied, and does not say that nothing is there.
      const emptied = position === null && !follower.blank()
      if (!emptied && !later(told, position) && (await follower.isOurs(upTo))) {
        told = position
        return { ...answer, position }
      }
      follower.nudge(true)
      if (attempt > 0 && told !== null) await follower.waiting.wait(told, CATCH_UP_MS)
    }
    throw new ViewsUnavailable(`the view ${view} is being built: try again`)
  }
}
