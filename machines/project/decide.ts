import { type Decision, type Party, type Refusal, refuse, unreachable } from '../kernel.ts'
import type { ProjectCommand } from './commands.ts'
import type { ProjectEvent } from './events.ts'
import type { Project, ProjectState } from './machine.ts'

/** One room's state, and one row of a view: more people are several projects. */
const MAX_PARTICIPANTS = 1_000

const isIn = ({ participants }: Project, id: string): boolean => participants.some((one) => one.id === id)

/** Whoever takes part, in the project of their organisation; null = they do. */
export function notAParticipant(state: ProjectState, by: Party): Refusal | null {
  if (!state.matches('active') || state.context.org !== by.org) return refuse('no-such-project')
  return isIn(state.context, by.id) ? null : refuse('not-a-participant')
}

/**
 * Refusals: `no-such-project` (also deleted ones, and those of other organisations), `not-a-participant` (the asker),
 * `no-such-participant` (the other one), `owner-only`, `owner-or-coach-only`, `owner-stays`, `project-full`,
 * `visitors-have-none`. What is so already is answered yes.
 */
export function decide(state: ProjectState, command: ProjectCommand): Decision<ProjectEvent> {
  const { by, at } = command
  const project = state.context
  const done = { by: by.id, at }

  if (by.role === 'visitor') return refuse('visitors-have-none')
  if (command.type === 'CreateProject') {
    if (!state.matches('new')) return refuse('project-exists')
    return [{ type: 'ProjectCreated', org: by.org, title: command.title, owner: command.owner, at }]
  }
  const no = notAParticipant(state, by)
  if (no) return no
  const isOwner = by.id === project.ownerId
  const leads = isOwner || by.id === project.coachId

  switch (command.type) {
    case 'RetitleProject': {
      const { title } = command
      if (!leads) return refuse('owner-or-coach-only')
      return title === project.title ? [] : [{ type: 'ProjectRetitled', title, ...done }]
    }
    case 'DeleteProject':
      return isOwner ? [{ type: 'ProjectDeleted', ...done }] : refuse('owner-only')
    case 'AddParticipant': {
      const { member } = command
      if (!leads) return refuse('owner-or-coach-only')
      if (isIn(project, member.id)) return []
      if (project.participants.length >= MAX_PARTICIPANTS)
        return refuse('project-full', { most: `${MAX_PARTICIPANTS}` })
      return [{ type: 'MemberAdded', member, ...done }]
    }
    case 'RemoveParticipant': {
      const { memberId } = command
      if (!leads) return refuse('owner-or-coach-only')
      if (memberId === project.ownerId) return refuse('owner-stays')
      return isIn(project, memberId) ? [{ type: 'MemberRemoved', memberId, ...done }] : []
    }
    case 'LeaveProject':
      return isOwner ? refuse('owner-stays') : [{ type: 'MemberLeft', memberId: by.id, at }]
    case 'DesignateCoach': {
      const { memberId } = command
      const { coachId } = project
      if (!isOwner) return refuse('owner-only')
      if (!isIn(project, memberId)) return refuse('no-such-participant')
      if (memberId === coachId) return []
      const withdrawn: ProjectEvent[] = coachId === null ? [] : [{ type: 'CoachWithdrawn', memberId: coachId, ...done }]
      return [...withdrawn, { type: 'CoachDesignated', memberId, ...done }]
    }
    case 'WithdrawCoach': {
      const { coachId } = project
      if (!isOwner) return refuse('owner-only')
      return coachId === null ? [] : [{ type: 'CoachWithdrawn', memberId: coachId, ...done }]
    }
    case 'SendMessage': {
      const { receiverId, content, file } = command
      if (receiverId !== null && !isIn(project, receiverId)) return refuse('no-such-participant')
      const number = project.messages + 1
      return [{ type: 'MessageSent', number, senderId: by.id, receiverId, content, file, at }]
    }
    default:
      return unreachable(command)
  }
}
