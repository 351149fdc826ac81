import { displayNameOf } from '../../../machines/person/profile.ts'
import { personIn } from '../../../machines/stream.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { Change, Profiles } from '../../delivery/feed.ts'
import { type EventRef, eventRef, type Notice, type RoomName } from '../../delivery/notice.ts'

/** Every name this contract pushes. */
export interface PresenceWire {
  /**
   * To the hubs of a teacher's organisation, once for each presence: not for a second tab, not for a return within the
   * grace.
   */
  readonly teacher_login: EventRef & { readonly user_id: string; readonly display_name: string }
}

/**
 * The TeacherHubs of an organisation. Contract 000 names this room by the organisation's id alone; clients never see
 * the name, and without a kind in front it could be that of another room.
 */
export const hubsRoom = (org: string): RoomName => `hubs ${org}`

/** A teacher has come. */
export function teacherNotices(change: Change<OnlineRow>, profiles: Profiles): readonly Notice<PresenceWire>[] {
  const { key, recorded, before, after } = change
  if (after?.role !== 'teacher' || before) return []
  const person = personIn(key)
  const display_name = displayNameOf(person.id, profiles.get(person)?.profile ?? {})
  const data = { ...eventRef(recorded), user_id: person.id, display_name }
  return [{ to: { kind: 'hubs', room: hubsRoom(person.org) }, name: 'teacher_login', data }]
}
