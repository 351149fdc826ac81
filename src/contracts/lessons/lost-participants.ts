import type { LostParticipant } from '../../../machines/lesson/commands.ts'
import type { Desk } from '../support-chat/desk.ts'
import type { LessonRecord } from './record.ts'

/** One append holds at most 1 MiB; who is beyond this counts as present until the end. */
const MAX_LOST = 2_000

/** Who is in this lesson by the record, but lost at the moment: if it ends now, they left when they were lost. */
export function lostParticipants(
  desk: Pick<Desk, 'presence'>,
  record: LessonRecord | undefined,
): readonly LostParticipant[] {
  const lost: LostParticipant[] = []
  for (const { home, id, presence } of record?.present() ?? []) {
    const row = desk.presence(home, id)
    if (row?.state !== 'lost' || row.since !== presence || row.loss === undefined) continue
    lost.push({ participantId: id, lostAt: row.loss.at })
    if (lost.length === MAX_LOST) break
  }
  return lost
}
