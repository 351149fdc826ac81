import { eventAt } from './event-at.ts'
import { lastOf } from './last-of.ts'
import type { Checkpoint, Log } from './log.ts'

/**
 * `stands`: the log holds this very event there. `ahead`: the log ends before it; a replica may only be a moment
 * behind. `other`: something else stands there.
 */
export type Standing = 'stands' | 'ahead' | 'other'

/** What this log says of a checkpoint that may be of another one. Rejects with LogUnavailable. */
export async function standingOf(log: Pick<Log, 'readAll'>, { position, id }: Checkpoint): Promise<Standing> {
  if ((await eventAt(log, position))?.id === id) return 'stands'
  const last = await lastOf(log)
  return last === undefined || last.position < position ? 'ahead' : 'other'
}

/** So long a replica may be behind what another one has told. */
export const REPLICA_LAG_MS = 1_000
