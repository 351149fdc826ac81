import { type Recorded, type Refusal, type Role, refuse } from '../../../machines/kernel.ts'
import type { Profile } from '../../../machines/person/profile.ts'
import { type EventRef, eventRef, type Notice } from '../../delivery/notice.ts'
import { displayNameOf } from '../shared/people.ts'

/**
 * The three programs of contract 000, and everybody else. `app`: takes part as the token's person (TeacherApp, a
 * ParticipantWeb with a token, every client of the other contracts). `hub`: a TeacherHub, which looks on. `anonymous`:
 * a ParticipantWeb without a token.
 */
export type ClientKind = 'app' | 'hub' | 'anonymous'

/** Every name this contract sends. */
export interface PresenceWire {
  /**
   * To the hubs of a teacher's organisation, once for each presence: not for a second tab, not for a return within the
   * grace.
   */
  teacher_login: EventRef & { readonly user_id: string; readonly display_name: string }
}

/**
 * To a participant who came without a token, first of all: who they are now, and what to send as `auth.token` to be the
 * same again.
 */
export interface ParticipantId {
  readonly participant_id: string
  readonly token: string
}

export const participantId = ({ id, token }: { readonly id: string; readonly token: string }): ParticipantId => ({
  participant_id: id,
  token,
})

/** @returns how somebody with this role comes in by `product_type` of the handshake, or a sentence why they cannot. */
export function clientKindOf(
  role: Role,
  productType: unknown,
): { readonly way: 'app' | 'hub' } | { readonly problem: string } {
  if (productType !== 'manager') return { way: 'app' }
  if (role === 'teacher' || role === 'admin') return { way: 'hub' }
  return {
    problem: `product_type=manager is for teachers and admins, the token's role is ${role}: leave product_type out`,
  }
}

/** What those without a token may emit; whether the lesson lets them in is the lesson's business. */
const ANONYMOUS_MAY: ReadonlySet<string> = new Set(['join_lesson', 'leave_lesson'])

/** Why a client that came in this way may not emit this event; undefined = it may. */
export function barred(way: ClientKind, event: string): Refusal | undefined {
  if (way === 'anonymous' && !ANONYMOUS_MAY.has(event)) return refuse('token-needed')
  return way === 'hub' ? refuse('hub-looks-on') : undefined
}

export function teacherLogin(org: string, id: string, recorded: Recorded, profile: Profile): Notice<PresenceWire> {
  const data = { ...eventRef(recorded), user_id: id, display_name: displayNameOf(id, profile) }
  return { to: { kind: 'hubs', org }, name: 'teacher_login', data }
}
