import type { Command } from '../kernel.ts'
import type { FileRef, Member } from './events.ts'

export type ProjectCommand = Command &
  (
    | { readonly type: 'CreateProject'; readonly title: string; readonly owner: Member }
    | { readonly type: 'RetitleProject'; readonly title: string }
    | { readonly type: 'DeleteProject' }
    | { readonly type: 'AddParticipant'; readonly member: Member }
    | { readonly type: 'RemoveParticipant'; readonly memberId: string }
    | { readonly type: 'LeaveProject' }
    | { readonly type: 'DesignateCoach'; readonly memberId: string }
    | { readonly type: 'WithdrawCoach' }
    | {
        readonly type: 'SendMessage'
        readonly receiverId: string | null
        readonly content: string | null
        /** Written already. */
        readonly file: FileRef | null
      }
  )
