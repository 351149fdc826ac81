import { personIn } from '../../../machines/stream.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { PersonRow } from '../../../projections/people.ts'
import type { Change } from '../../delivery/feed.ts'
import { eventRef, type Notice } from '../../delivery/notice.ts'
import { toStaff } from './audiences.ts'
import type { Somebody } from './users.ts'
import type { SupportChatWire } from './wire.ts'

/** Somebody came or went. Being lost and coming back in time is heard by nobody: they were here all along. */
export function presenceNotices(change: Change<OnlineRow>, who: Somebody): readonly Notice<SupportChatWire>[] {
  const { key, recorded, before, after } = change
  if ((before === undefined) === (after === undefined)) return []
  const { org, id } = personIn(key)
  const ref = eventRef(recorded)
  if (who.kind === 'visitor') {
    const data = { ...ref, user: who.user }
    return [{ to: toStaff(org), name: after ? 'visitor_goes_online' : 'visitor_goes_offline', data }]
  }
  const data = { ...ref, user: who.user }
  return [{ to: toStaff(org, [id]), name: after ? 'staff_goes_online' : 'staff_goes_offline', data }]
}

/**
 * Somebody who is online is called something else now: said by coming online again, to everybody, themselves included.
 */
export function renamedNotices(
  { key, recorded }: Change<PersonRow>,
  who: Somebody,
): readonly Notice<SupportChatWire>[] {
  const to = toStaff(personIn(key).org)
  const ref = eventRef(recorded)
  if (who.kind === 'visitor') return [{ to, name: 'visitor_goes_online', data: { ...ref, user: who.user } }]
  return [{ to, name: 'staff_goes_online', data: { ...ref, user: who.user } }]
}
