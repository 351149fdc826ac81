import { isStaff, isSupervising } from '../../../machines/kernel.ts'
import { type Audience, personRoom, type RoomName } from '../../delivery/notice.ts'
import type { Hearer } from '../../delivery/past.ts'

const staffRoom = (org: string): RoomName => `staff ${org}`
const agentsRoom = (org: string): RoomName => `agents ${org}`
const supervisingRoom = (org: string): RoomName => `supervising ${org}`

/** Every agent, supervisor and admin of the organisation, but for the people in `except`. */
export const toStaff = (org: string, except: readonly string[] = []): Audience =>
  allBut('staff', staffRoom(org), org, except)

export const toAgents = (org: string): Audience => ({ kind: 'agents', room: agentsRoom(org) })

/** Supervisors and admins, but for the people in `except`. */
export const toSupervising = (org: string, except: readonly string[] = []): Audience =>
  allBut('supervising', supervisingRoom(org), org, except)

/** The rooms of a desk that a connection is in. */
export function deskRooms({ kind, party: { org, role } }: Hearer): readonly RoomName[] {
  if (kind !== 'app' || !isStaff(role)) return []
  return [staffRoom(org), isSupervising(role) ? supervisingRoom(org) : agentsRoom(org)]
}

const allBut = (kind: string, room: RoomName, org: string, except: readonly string[]): Audience =>
  except.length === 0 ? { kind, room } : { kind, room, except: except.map((id) => personRoom({ org, id })) }
