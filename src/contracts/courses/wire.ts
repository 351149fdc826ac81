import type { EventRef } from '../../delivery/notice.ts'

/** A person as 003 names them: `user_email` is their id where no e-mail is known. */
interface User {
  readonly user_id: string
  readonly user_email: string
}

interface StudentProgress {
  readonly user_id: string
  readonly video_id: string
  /** As it was sent: percent, and seconds of the video. */
  readonly progress: number
  readonly timestamp: number
}

interface ProgressUpdate {
  readonly user_id: string
  readonly video_id: string
  readonly watched_seconds: number
  readonly percent_complete: number
}

/** Every name that contract 003 pushes. Lists are there where one push stands for several (COURSE-33). */
export interface CourseWire {
  readonly course_updated: EventRef & { readonly course_id: string; readonly title: string }
  readonly new_enrollment: EventRef & User & { readonly course_id: string; readonly message: string }
  readonly new_review: EventRef & {
    readonly course_id: string
    readonly user_id: string
    readonly user_email: string
    readonly rating: number
    readonly comment: string
  }
  readonly user_joined_video: EventRef & User & { readonly video_id: string }
  readonly new_chat_message: EventRef &
    User & {
      readonly video_id: string
      readonly message: string
      readonly timestamp: string | number
      readonly at: string
    }
  readonly chat_message_removed: EventRef & { readonly video_id: string; readonly removed_seq: number }
  readonly student_progress: EventRef & StudentProgress & { readonly students?: readonly StudentProgress[] }
  readonly progress_update: EventRef & ProgressUpdate & { readonly students?: readonly ProgressUpdate[] }
  readonly quiz_submission: EventRef & {
    readonly user_id: string
    readonly course_id: string
    readonly quiz_id: string
    readonly score: number
    readonly passed: boolean
  }
}

/** What one connection is told besides. */
export interface CourseAnswers {
  readonly connected: { readonly status: string }
  readonly joined_course: EventRef & { readonly course_id: string; readonly status: string }
  readonly joined_video: EventRef & { readonly video_id: string; readonly course_id: string; readonly status: string }
  readonly error: {
    readonly message: string
    readonly code: string
    readonly event: string
    /** Of whoever is taken out: of what. */
    readonly course_id?: string
    readonly video_id?: string
  }
}
