import type { Command } from '../kernel.ts'
import type { ChatVisitor, Content } from './events.ts'

export type ChatCommand = Command &
  /** `bytes`: of the content as compact JSON. */
  (
    | { readonly type: 'OpenChat'; readonly visitor: ChatVisitor; readonly content: Content; readonly bytes?: number }
    | { readonly type: 'Write'; readonly content: Content; readonly bytes?: number }
    | { readonly type: 'ClaimChat' }
    | { readonly type: 'TakeOverChat' }
    /** 0..100; 0 takes the flag away. */
    | { readonly type: 'FlagChat'; readonly severity: number }
    /** The visitor or the serving staff member ends the chat. */
    | { readonly type: 'LeaveChat' }
    /** Lyceum ends the chat of somebody who is gone. */
    | { readonly type: 'CloseAbandonedChat'; readonly gone: string }
  )
