import type { Command, StaffRole } from '../kernel.ts'
import type { ChatVisitor, Content } from './events.ts'

export type ChatCommand = Command &
  (
    | (Said & { readonly type: 'OpenChat'; readonly visitor: ChatVisitor })
    | (Said & { readonly type: 'Write' })
    /** `again`: it is theirs already, or nothing happens. */
    | { readonly type: 'ClaimChat'; readonly again?: boolean }
    | { readonly type: 'TakeOverChat' }
    /** Whoever serves hands the chat to a colleague. That they are here is looked at before this is asked. */
    | { readonly type: 'TransferChat'; readonly to: Colleague }
    /** Whoever serves puts the chat back into the queue. */
    | { readonly type: 'ReturnChat' }
    /** Somebody who supervises gives the chat, claimed or not, to a colleague. */
    | { readonly type: 'AssignChat'; readonly to: Colleague }
    /** 0..100; 0 takes the flag away. */
    | { readonly type: 'FlagChat'; readonly severity: number }
    /** The visitor or the serving staff member ends the chat. */
    | { readonly type: 'LeaveChat' }
    /** Lyceum ends the chat of somebody who is gone. */
    | { readonly type: 'CloseAbandonedChat'; readonly gone: string }
    /** Lyceum puts the chat of a staff member who is gone back into the queue. */
    | { readonly type: 'ReturnAbandonedChat'; readonly gone: string }
  )

interface Said {
  readonly content: Content
  /** Of the content as compact JSON. */
  readonly bytes?: number
  /**
   * What may wait in this chat unclaimed, as the queue of the organisation stands, each message with
   * `MESSAGE_WEIGHT` besides its bytes. That is looked at before this is asked. Default: as much as in an empty queue.
   */
  readonly mayWait?: number
}

/** Who is to serve a chat. */
export interface Colleague {
  readonly id: string
  readonly role: StaffRole
}
