import { z } from 'zod'
import type { WireOf } from '../../src/delivery/contract.ts'
import type { Change } from '../../src/delivery/feed.ts'
import { type EventRef, eventRef, type Notice, type RoomName } from '../../src/delivery/notice.ts'
import type { PollRow } from './polls.ts'

const standing = z.strictObject({
  id: z.string(),
  seq: z.int(),
  pos: z.string(),
  poll_id: z.string(),
  question: z.string(),
  options: z.array(z.string()).readonly(),
  votes: z.array(z.int()).readonly(),
})

export const pollShapes = { poll_state: standing, poll_closed: standing }

export const pollRoom = (id: string): RoomName => `poll ${id}`

/** A poll as a watcher sees it. */
export const pollState = (poll_id: string, { question, options, votes }: PollRow, ref: EventRef) => ({
  ...ref,
  poll_id,
  question,
  options,
  votes,
})

/** Every change is told as the whole poll; the newest is enough. Its end is told for itself. */
export function pollNotices({
  key,
  recorded,
  before,
  after,
}: Change<PollRow>): readonly Notice<WireOf<typeof pollShapes>>[] {
  if (!after || !before) return []
  const to = { kind: 'poll', room: pollRoom(key) }
  const data = pollState(key, after, eventRef(recorded))
  if (after.state === 'closed') return [{ to, name: 'poll_closed', data }]
  return [{ to, name: 'poll_state', latest: true, data }]
}
