import type { Command } from '../kernel.ts'

export type CourseCommand = Command &
  (
    | {
        readonly type: 'CreateCourse'
        readonly title: string
        /** Besides a teacher who creates it, and who thereby teaches it. */
        readonly teacherIds: readonly string[]
      }
    | { readonly type: 'Retitle'; readonly title: string }
    | { readonly type: 'AssignTeacher'; readonly teacherId: string }
    | { readonly type: 'WithdrawTeacher'; readonly teacherId: string }
    | { readonly type: 'Enrol'; readonly studentId: string }
    | { readonly type: 'Unenrol'; readonly studentId: string }
  )
