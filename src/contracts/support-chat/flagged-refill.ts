import { type ChatRow, chats as chatsView } from '../../../projections/chats.ts'
import type { Node } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { newestFlagged } from './chats-model.ts'

export interface FlaggedRefillParts extends Pick<Node, 'views' | 'follower'> {
  readonly chats: LiveModel<ChatRow>
  readonly onError: (error: unknown) => void
}

const VIEW_WAIT_MS = 5_000

/**
 * Reads flagged chats that have ended from the view, where so many have lost their flags that those may be shown which
 * a node has let go of. It begins when half of what is kept is left, which is more than is shown: so it is in time.
 */
export function flaggedRefill({ chats, views, follower, onError }: FlaggedRefillParts): (org: string) => void {
  const reading = new Set<string>()

  const read = async (org: string): Promise<Iterable<readonly [string, ChatRow]>> => {
    if (!(await views.reached(chatsView.name, follower.position(), VIEW_WAIT_MS))) return []
    const { entries } = await views.scan(chatsView.name, { ...newestFlagged(org), backwards: true })
    // What stands in this list is what the view's projection folded.
    return entries.map(({ key, row }) => [key, row as unknown as ChatRow] as const)
  }

  return (org) => {
    if (reading.has(org)) return
    reading.add(org)
    chats
      .adoptRead(() => read(org))
      .catch(onError) // the next flag that is taken off tries again
      .finally(() => reading.delete(org))
  }
}
