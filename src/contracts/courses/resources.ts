import { z } from '@hono/zod-openapi'
import type { CourseRow } from '../../../projections/courses.ts'
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
