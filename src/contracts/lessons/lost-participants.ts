import type { LostParticipant } from '../../../machines/lesson/commands.ts'
import { personName } from '../../../machines/stream.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import type { LessonRecord } from './record.ts'

/** One append holds at most 1 MiB; who is beyond this counts as present until the end. */
const MAX_LOST = 2_000

/** Who is in this lesson by the record, but lost at the moment: if it ends now, they left when they were lost. */
export function lostParticipants(
  online: Pick<LiveModel<OnlineRow>, 'get'>,
  record: LessonRecord | undefined,
): readonly LostParticipant[] {
  const lost: LostParticipant[] = []
  for (const { home, id, presence } of record?.present() ?? []) {
    const row = online.get(personName({ org: home, id }))
    if (row?.state !== 'lost' || row.since !== presence || row.loss === undefined) continue
    lost.push({ participantId: id, lostAt: row.loss.at })
    if (lost.length === MAX_LOST) break
  }
  return lost
}
