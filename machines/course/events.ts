import type { EventSchema } from '../kernel.ts'

/**
 * Who teaches and who attends a course, in the stream `course-<id>`: both in one stream, so that one read of it is a
 * consistent cut. Times in milliseconds since 1970.
 */
export type CourseEvent =
  | {
      readonly type: 'CourseCreated'
      readonly org: string
      readonly title: string
      /** At least one. */
      readonly teacherIds: readonly string[]
      readonly at: number
    }
  | { readonly type: 'CourseRetitled'; readonly title: string; readonly at: number }
  | { readonly type: 'TeacherAssigned'; readonly teacherId: string; readonly at: number }
  | { readonly type: 'TeacherWithdrawn'; readonly teacherId: string; readonly at: number }
  | { readonly type: 'StudentEnrolled'; readonly studentId: string; readonly at: number }
  | { readonly type: 'StudentUnenrolled'; readonly studentId: string; readonly at: number }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const courseEvents: Readonly<Record<CourseEvent['type'], EventSchema>> = {
  CourseCreated: plain,
  CourseRetitled: plain,
  TeacherAssigned: plain,
  TeacherWithdrawn: plain,
  StudentEnrolled: plain,
  StudentUnenrolled: plain,
}
