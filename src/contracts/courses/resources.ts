import { z } from '@hono/zod-openapi'
import type { CourseRow } from '../../../projections/courses.ts'
import type { QuizRow } from '../../../projections/quizzes.ts'
import type { ReviewRow } from '../../../projections/reviews.ts'
import type { VideoRow } from '../../../projections/videos.ts'
import { iso } from '../shared/iso.ts'

export const Course = z
  .object({
    id: z.string(),
    title: z.string(),
    teacher_ids: z.array(z.string()),
    student_count: z.number(),
    created_at: z.string(),
    seq: z.number(),
  })
  .openapi('Course')

export const Enrollment = z
  .object({ id: z.string(), course_id: z.string(), student_id: z.string() })
  .openapi('Enrollment')

type CourseFacts = Pick<CourseRow, 'title' | 'teachers' | 'students' | 'createdAt' | 'seq'>

export const courseResource = (id: string, { title, teachers, students, createdAt, seq }: CourseFacts) => ({
  id,
  title,
  teacher_ids: teachers,
  student_count: students.length,
  created_at: iso(createdAt),
  seq,
})

export const enrollmentResource = (course: string, student: string) => ({
  id: student,
  course_id: course,
  student_id: student,
})

export const Video = z
  .object({
    id: z.string(),
    course_id: z.string(),
    title: z.string(),
    duration_seconds: z.number().nullable().openapi({ description: 'null where nobody knows' }),
    created_at: z.string(),
    seq: z.number(),
  })
  .openapi('Video')

export const videoResource = (
  id: string,
  { courseId, title, durationSeconds, createdAt, seq }: Omit<VideoRow, 'org'>,
) => ({
  id,
  course_id: courseId,
  title,
  duration_seconds: durationSeconds,
  created_at: iso(createdAt),
  seq,
})

const seconds = z.number().openapi({ description: 'seconds of the video' })
const percent = z.number().openapi({ description: '0 to 100' })

export const WatchPosition = z
  .object({
    id: z.string().openapi({ description: 'the video’s' }),
    timestamp: seconds,
    progress: percent.openapi({ description: 'as it was last sent' }),
    watched_seconds: z.number().openapi({ description: 'whole seconds of it that were watched at least once' }),
    percent_complete: percent,
    completed_at: z.string().nullable().openapi({ description: 'when 90 percent had been watched' }),
  })
  .openapi('WatchPosition')

export const StudentProgress = z
  .object({
    id: z.string(),
    user_id: z.string(),
    percent_complete: percent.openapi({ description: 'of all videos of the course, each counting the same' }),
    videos: z.array(
      z.object({
        video_id: z.string(),
        title: z.string(),
        watched_seconds: z.number(),
        percent_complete: percent,
        timestamp: seconds,
        completed_at: z.string().nullable(),
      }),
    ),
  })
  .openapi('StudentProgress')

export const Remark = z
  .object({
    id: z.string(),
    seq: z.number(),
    user_id: z.string(),
    message: z.string().nullable().openapi({ description: 'null: removed' }),
    removed: z.boolean(),
    timestamp: z.union([z.string(), z.number()]).openapi({ description: 'as the sender sent it' }),
    at: z.string(),
  })
  .openapi('VideoMessage')

export const Review = z
  .object({
    id: z.string().openapi({ description: 'the student’s: each has one review' }),
    user_id: z.string(),
    rating: z.number(),
    comment: z.string(),
    at: z.string(),
  })
  .openapi('Review')

export const reviewResource = (
  _key: string,
  { studentId, rating, comment, at }: Pick<ReviewRow, 'studentId' | 'rating' | 'comment' | 'at'>,
) => ({ id: studentId, user_id: studentId, rating, comment, at: iso(at) })

export const Quiz = z
  .object({
    id: z.string(),
    course_id: z.string(),
    title: z.string(),
    pass_score: z.number(),
    questions: z.array(
      z.object({
        text: z.string(),
        choices: z.array(z.string()),
        answer: z.number().optional().openapi({ description: 'to teachers and admins only' }),
      }),
    ),
    submissions: z.number(),
    created_at: z.string(),
  })
  .openapi('Quiz')

export const quizResource =
  (withAnswers: boolean) =>
  (
    id: string,
    { courseId, title, passScore, questions, submissions, createdAt }: Omit<QuizRow, 'org' | 'seq' | 'movedAt'>,
  ) => ({
    id,
    course_id: courseId,
    title,
    pass_score: passScore,
    questions: questions.map(({ text, choices, answer }) => ({
      text,
      choices: [...choices],
      ...(withAnswers ? { answer } : {}),
    })),
    submissions,
    created_at: iso(createdAt),
  })

export const QuizScore = z.object({ id: z.string(), score: z.number(), passed: z.boolean() }).openapi('QuizScore')

export const Submission = z
  .object({
    id: z.string(),
    seq: z.number(),
    user_id: z.string(),
    answers: z.array(z.number()),
    score: z.number(),
    passed: z.boolean(),
    at: z.string(),
  })
  .openapi('Submission')
