import { assign, type SnapshotFrom, setup } from 'xstate'
import type { Member, ProjectEvent } from './events.ts'

export interface Project {
  readonly org: string
  readonly title: string
  readonly ownerId: string
  readonly coachId: string | null
  /** In the order of their coming; owner and coach are among them. */
  readonly participants: readonly Member[]
  readonly createdAt: number
  readonly messages: number
}

export const noProject: Project = {
  ...{ org: '', title: '', ownerId: '', coachId: null, participants: [], createdAt: 0, messages: 0 },
}

/** The project after one more event. Pure: the machine's, and the view's. */
export function afterProjectEvent(before: Project, event: ProjectEvent): Project {
  switch (event.type) {
    case 'ProjectCreated': {
      const { org, title, owner, at: createdAt } = event
      return { ...noProject, org, title, ownerId: owner.id, participants: [owner], createdAt }
    }
    case 'ProjectRetitled':
      return { ...before, title: event.title }
    case 'MemberAdded':
      return { ...before, participants: [...before.participants, event.member] }
    case 'MemberRemoved':
    case 'MemberLeft': {
      const { memberId } = event
      const participants = before.participants.filter(({ id }) => id !== memberId)
      return { ...before, participants, coachId: before.coachId === memberId ? null : before.coachId }
    }
    case 'CoachDesignated':
      return { ...before, coachId: event.memberId }
    case 'CoachWithdrawn':
      return { ...before, coachId: null }
    case 'MessageSent':
      return { ...before, messages: event.number }
    case 'ProjectDeleted':
      return before
  }
}

/** new -> active -> deleted. */
export const projectMachine = setup({
  types: { context: {} as Project, events: {} as ProjectEvent },
  actions: { move: assign(({ context }, event: ProjectEvent) => afterProjectEvent(context, event)) },
}).createMachine({
  id: 'project',
  context: noProject,
  initial: 'new',
  states: {
    new: { on: { ProjectCreated: { target: 'active', actions: { type: 'move', params: ({ event }) => event } } } },
    active: {
      on: {
        ProjectRetitled: { actions: { type: 'move', params: ({ event }) => event } },
        MemberAdded: { actions: { type: 'move', params: ({ event }) => event } },
        MemberRemoved: { actions: { type: 'move', params: ({ event }) => event } },
        MemberLeft: { actions: { type: 'move', params: ({ event }) => event } },
        CoachDesignated: { actions: { type: 'move', params: ({ event }) => event } },
        CoachWithdrawn: { actions: { type: 'move', params: ({ event }) => event } },
        MessageSent: { actions: { type: 'move', params: ({ event }) => event } },
        ProjectDeleted: 'deleted',
      },
    },
    deleted: {},
  },
})

export type ProjectState = SnapshotFrom<typeof projectMachine>
