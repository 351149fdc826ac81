import type { EventSchema } from '../kernel.ts'

/** A person as a project knows them: their id in the organisation, and their number on the wire. */
export interface Member {
  readonly id: string
  readonly number: number
}

/** Bytes are kept outside the log, by their hash. */
export interface FileRef {
  readonly hash: string
  readonly name: string
  readonly size: number
}

interface Done {
  readonly by: string
  readonly at: number
}

/** A project and what is said in it, in the stream `project-<number>`. Times in milliseconds since 1970. */
export type ProjectEvent =
  | {
      readonly type: 'ProjectCreated'
      readonly org: string
      readonly title: string
      readonly owner: Member
      readonly at: number
    }
  | ({ readonly type: 'ProjectRetitled'; readonly title: string } & Done)
  | ({ readonly type: 'ProjectDeleted' } & Done)
  | ({ readonly type: 'MemberAdded'; readonly member: Member } & Done)
  | ({ readonly type: 'MemberRemoved'; readonly memberId: string } & Done)
  | { readonly type: 'MemberLeft'; readonly memberId: string; readonly at: number }
  | ({ readonly type: 'CoachDesignated'; readonly memberId: string } & Done)
  | ({ readonly type: 'CoachWithdrawn'; readonly memberId: string } & Done)
  | {
      readonly type: 'MessageSent'
      /** Counts the project's messages, from 1. */
      readonly number: number
      readonly senderId: string
      /** Null: everybody in the project. */
      readonly receiverId: string | null
      readonly content: string | null
      readonly file: FileRef | null
      readonly at: number
    }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const projectEvents: Readonly<Record<ProjectEvent['type'], EventSchema>> = {
  ProjectCreated: plain,
  ProjectRetitled: plain,
  ProjectDeleted: plain,
  MemberAdded: plain,
  MemberRemoved: plain,
  MemberLeft: plain,
  CoachDesignated: plain,
  CoachWithdrawn: plain,
  MessageSent: { version: 1, personal: ['content', 'file'], upcasts: {} },
}
