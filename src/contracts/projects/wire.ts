import type { ProjectUser } from './people.ts'

/** A project on the wire. */
export interface ProjectItem {
  readonly id: number
  readonly title: string
  readonly owner: ProjectUser
  readonly coach: ProjectUser | null
  readonly participants: readonly ProjectUser[]
  /** `DD/MM/YYYY, HH:mm` in the zone of `LYCEUM_TIME_ZONE`. */
  readonly created_at: string
  readonly seq: number
}

/** A message on the wire. `id` counts the messages of its project. */
export interface MessageItem {
  readonly id: number
  readonly project_id: number
  readonly content: string | null
  readonly file_name: string | null
  /** Likewise. */
  readonly created_at: string
  readonly sender: ProjectUser
  readonly receiver: ProjectUser | null
}

/** Every name that contract 002 pushes: to sockets, and to streams. */
export interface ProjectWire {
  readonly receive_message: MessageItem & {
    /** Bare base64 of the bytes. */
    readonly file_base64: string | null
    readonly seq: number
    readonly pos: string
  }
  readonly action_project: {
    readonly type: 'add_into_project' | 'delete_project' | 'edit_project'
    readonly message: string
    readonly data?: object
  }
}

/** What one socket is told besides. */
export interface ProjectAnswers {
  readonly joined_project: {
    readonly project_id: number
    readonly id: string
    readonly seq: number
    readonly pos: string
  }
  readonly error: { readonly message: string; readonly code: string; readonly event: string }
}
