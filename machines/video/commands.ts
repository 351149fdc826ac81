import type { Command } from '../kernel.ts'

/** Who may look on or teaches is the course's to say: it is asked before. */
export type VideoCommand = Command &
  (
    | {
        readonly type: 'AddVideo'
        readonly courseId: string
        readonly title: string
        readonly durationSeconds: number | null
      }
    | { readonly type: 'Remark'; readonly message: string; readonly timestamp: string | number }
    /** `seq`: of the event `RemarkMade`, which exists. */
    | { readonly type: 'RemoveRemark'; readonly seq: number }
  )
