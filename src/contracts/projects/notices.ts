import type { Member } from '../../../machines/project/events.ts'
import type { PersonRef } from '../../../machines/stream.ts'
import type { ProjectRow } from '../../../projections/projects.ts'
import type { Profiles } from '../../delivery/feed.ts'
import { eventRef, type Notice } from '../../delivery/notice.ts'
import { type DateOf, messageItem, projectItem, usersIn } from './items.ts'
import type { ProjectChange } from './projects-model.ts'
import { toJoined, toProject, toStreams } from './rooms.ts'
import { texts } from './texts.ts'
import type { ProjectWire } from './wire.ts'

export type ProjectNotice = Notice<ProjectWire>
type Action = ProjectWire['action_project']

/** Everybody whom the notices of an event name, and who is told by name. */
export function peopleInProject({ before, after, recorded: { event } }: ProjectChange): readonly PersonRef[] {
  const { org } = after
  const refs = (ids: readonly string[]): readonly PersonRef[] => [...new Set(ids)].map((id) => ({ org, id }))
  const all = [...(before?.participants ?? []), ...after.participants].map(({ id }) => id)
  switch (event.type) {
    case 'MessageSent':
      return refs(event.receiverId === null ? [event.senderId] : [event.senderId, event.receiverId])
    case 'MemberAdded':
      return refs(all) // the added are told the whole project
    case 'ProjectDeleted':
      return refs([after.ownerId])
    case 'MemberRemoved':
    case 'MemberLeft':
    case 'CoachDesignated':
    case 'CoachWithdrawn':
      return refs([event.memberId])
    case 'ProjectCreated':
    case 'ProjectRetitled':
      return []
  }
}

/** What clients are told of the events of projects: messages to sockets, everything else to streams. */
export const projectNotices =
  (dateOf: DateOf) =>
  (change: ProjectChange, profiles: Profiles): readonly ProjectNotice[] =>
    change.recorded.event.type === 'MessageSent' ? said(change, profiles, dateOf) : acted(change, profiles, dateOf)

function said(
  { number, recorded, after }: ProjectChange,
  profiles: Profiles,
  dateOf: DateOf,
): readonly ProjectNotice[] {
  const { event } = recorded
  if (event.type !== 'MessageSent') return []
  const { seq, pos } = eventRef(recorded)
  const { file, ...item } = messageItem(number, event, {
    memberOf: memberIn(after),
    userOf: usersIn(after.org, profiles),
    dateOf,
  })
  // The bytes are put in when it goes out (`message-bytes.ts`).
  const data = { ...item, file_base64: null, seq, pos, ...(file === null ? {} : { file }) }
  const { senderId, receiverId } = event
  if (receiverId === null) return [{ to: toProject(number), name: 'receive_message', data }]
  return [...new Set([senderId, receiverId])].map((id) => ({
    ...{ to: toJoined(number, id), name: 'receive_message' as const, data },
  }))
}

/** Whoever wrote, or is written to, takes part at that moment. */
const memberIn =
  ({ participants }: ProjectRow) =>
  (id: string): Member => {
    const found = participants.find((one) => one.id === id)
    if (!found) throw new Error(`${id} takes no part in a project in which they were told something`)
    return found
  }

function acted(
  { number, recorded, before, after }: ProjectChange,
  profiles: Profiles,
  dateOf: DateOf,
): readonly ProjectNotice[] {
  const { event } = recorded
  const { org, title } = after
  const userOf = usersIn(org, profiles)
  const tell = (id: string, type: Action['type'], message: string, data?: object): ProjectNotice => ({
    to: toStreams(org, id),
    name: 'action_project',
    data: data === undefined ? { type, message } : { type, message, data },
  })
  /** All who take part, but for these. */
  const others = (but: readonly string[], type: Action['type'], message: string, data?: object) =>
    after.participants.flatMap(({ id }) => (but.includes(id) ? [] : [tell(id, type, message, data)]))
  const nameOf = (id: string): string => userOf(memberOf(before, after, id)).username
  const numberOf = (id: string): { user_id: number } => ({ user_id: memberOf(before, after, id).number })

  switch (event.type) {
    case 'ProjectCreated':
    case 'MessageSent':
      return []
    case 'ProjectRetitled': {
      const message = texts.retitled(before?.title ?? '', title)
      return others([event.by], 'edit_project', message, { project_title: title })
    }
    case 'ProjectDeleted':
      return others([event.by], 'delete_project', texts.deleted(title, nameOf(after.ownerId)))
    case 'MemberAdded': {
      const { member, by } = event
      const user = userOf(member)
      const item = projectItem(number, after, { userOf, dateOf })
      return [
        tell(member.id, 'add_into_project', texts.added(title), item),
        ...others([by, member.id], 'add_into_project', texts.newParticipant(user.username, title), user),
      ]
    }
    case 'MemberRemoved': {
      const { memberId: id, by } = event
      return [
        tell(id, 'edit_project', texts.removed(title)),
        ...others([by], 'edit_project', texts.participantRemoved(nameOf(id), title), numberOf(id)),
      ]
    }
    case 'MemberLeft': {
      const { memberId: id } = event
      return others([], 'edit_project', texts.left(nameOf(id), title), numberOf(id))
    }
    case 'CoachDesignated': {
      const { memberId: id, by } = event
      return [
        tell(id, 'edit_project', texts.designated(title)),
        ...others([by, id], 'edit_project', texts.newCoach(nameOf(id), title), numberOf(id)),
      ]
    }
    case 'CoachWithdrawn': {
      const { memberId: id, by } = event
      return [
        tell(id, 'edit_project', texts.withdrawn(title)),
        ...others([by, id], 'edit_project', texts.coachWithdrawn(nameOf(id), title), numberOf(id)),
      ]
    }
  }
}

const memberOf = (before: ProjectRow | undefined, after: ProjectRow, id: string): Member => {
  const found = [...after.participants, ...(before?.participants ?? [])].find((one) => one.id === id)
  if (!found) throw new Error(`${id} takes no part in a project of which they are told`)
  return found
}
