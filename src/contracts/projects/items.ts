import type { FileRef, Member, ProjectEvent } from '../../../machines/project/events.ts'
import type { Project } from '../../../machines/project/machine.ts'
import type { Profiles } from '../../delivery/feed.ts'
import { type ProjectUser, projectUser } from './people.ts'
import type { MessageItem, ProjectItem } from './wire.ts'

export type UserOf = (member: Member) => ProjectUser

/** People of one organisation, as they are called by these profiles. */
export const usersIn =
  (org: string, profiles: Profiles): UserOf =>
  (member) =>
    projectUser(member, profiles.get({ org, id: member.id })?.profile)

export function projectItem(
  id: number,
  project: Project & { readonly seq: number },
  { userOf, dateOf }: { readonly userOf: UserOf; readonly dateOf: DateOf },
): ProjectItem {
  const { title, ownerId, coachId, participants, createdAt, seq } = project
  const users = participants.map((member) => [member.id, userOf(member)] as const)
  const one = (wanted: string | null): ProjectUser | undefined => users.find(([id]) => id === wanted)?.[1]
  const owner = one(ownerId)
  if (!owner) throw new Error(`project ${id} has lost its owner ${ownerId}`)
  return {
    ...{ id, title, owner, coach: one(coachId) ?? null, participants: users.map(([, user]) => user) },
    ...{ created_at: dateOf(createdAt), seq },
  }
}

export type MessageSent = Extract<ProjectEvent, { type: 'MessageSent' }>

/** Who wrote may be gone: then the number of their time in the project is not known any more, and is looked up. */
export type MemberOf = (id: string) => Member

export function messageItem(
  projectId: number,
  event: MessageSent,
  { memberOf, userOf, dateOf }: { readonly memberOf: MemberOf; readonly userOf: UserOf; readonly dateOf: DateOf },
): MessageItem & { readonly file: FileRef | null } {
  const { number: id, senderId, receiverId, content, file, at } = event
  return {
    ...{ id, project_id: projectId, content, file_name: file?.name ?? null, created_at: dateOf(at), file },
    sender: userOf(memberOf(senderId)),
    receiver: receiverId === null ? null : userOf(memberOf(receiverId)),
  }
}

export type DateOf = (ms: number) => string

/** `DD/MM/YYYY, HH:mm` in this zone. */
export function datesIn(timeZone: string): DateOf {
  const two = '2-digit'
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, day: two, month: two, year: 'numeric', hour: two, minute: two, hourCycle: 'h23' },
  })
  return (ms) => format.format(ms)
}
