import { type ChatRow, chats as chatsView } from '../../../projections/chats.ts'
import type { Node } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { isShort, newestFlagged } from './chats-model.ts'

export interface FlaggedRefillParts extends Pick<Node, 'views' | 'follower'> {
  readonly chats: LiveModel<ChatRow>
  readonly onError: (error: unknown) => void
}

const VIEW_WAIT_MS = 5_000

/**
 * Reads flagged chats that have ended from the view, where so many have lost their flags that those may be shown which
 * a node has let go of. It begins when half of what is kept is left, which is more than is shown: so it is in time. It
 * goes on until there are enough, for those that it has read may have lost their flags meanwhile.
 */
export function flaggedRefill({ chats, views, follower, onError }: FlaggedRefillParts): (org: string) => void {
  const reading = new Set<string>()

  const refill = async (org: string): Promise<void> => {
    const range = newestFlagged(org)
    let mayBeMore = true
    await null // the event at hand comes to its end first: until then the follower does not stand at it
    while (mayBeMore && isShort(chats, org)) {
      await chats.adoptRead(async () => {
        mayBeMore = await views.reached(chatsView.name, follower.position(), VIEW_WAIT_MS)
        if (!mayBeMore) return [] // the next flag that is taken off tries again
        const { entries } = await views.scan(chatsView.name, { ...range, backwards: true })
        mayBeMore = entries.length === range.limit
        // What stands in this list is what the view's projection folded.
        return entries.map(({ key, row }) => [key, row as unknown as ChatRow] as const)
      })
    }
  }

  return (org) => {
    if (reading.has(org)) return
    reading.add(org)
    refill(org)
      .catch(onError)
      .finally(() => reading.delete(org))
  }
}
