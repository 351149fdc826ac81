import { createRoute, z } from '@hono/zod-openapi'
import { withFailures } from '../../gateway/http/errors.ts'
import { id, idText, json, limit, next, security } from '../../gateway/http/schemas.ts'

const Course = z
  .object({
    id: z.string(),
    title: z.string(),
    teacher_ids: z.array(z.string()),
    student_count: z.number(),
    created_at: z.string(),
    seq: z.number(),
  })
  .openapi('Course')
const Enrollment = z.object({ id: z.string(), course_id: z.string(), student_id: z.string() }).openapi('Enrollment')
const course = withFailures({ 200: { description: 'The course', content: json(z.object({ data: Course })) } })

export const createCourse = createRoute({
  method: 'post',
  path: '/api/v1/courses',
  security,
  summary: 'Create a course (teachers, who thereby teach it; admins, who name its teachers)',
  request: {
    body: {
      required: true,
      content: json(
        z.object({ title: z.string().trim().min(1).max(200), teacher_ids: z.array(idText).max(100).optional() }),
      ),
    },
  },
  responses: withFailures({ 201: { description: 'Created', content: json(z.object({ data: Course })) } }),
})

export const listCourses = createRoute({
  method: 'get',
  path: '/api/v1/courses',
  security,
  summary: 'The courses that you teach or attend; all of your organisation for admins; the latest first',
  request: {
    query: z.object({
      limit: limit(200, 50),
      after: next,
    }),
  },
  responses: withFailures({
    200: { description: 'Courses', content: json(z.object({ data: z.array(Course), next: z.string().optional() })) },
  }),
})

export const readCourse = createRoute({
  method: 'get',
  path: '/api/v1/courses/{id}',
  security,
  summary: 'A course (its students, its teachers, admins)',
  request: { params: id },
  responses: course,
})

export const enrolStudent = createRoute({
  method: 'post',
  path: '/api/v1/courses/{id}/enrollments',
  security,
  summary: 'Enrol a student (teachers of the course, admins); who is enrolled already stays so',
  request: { params: id, body: { required: true, content: json(z.object({ student_id: idText })) } },
  responses: withFailures({ 201: { description: 'Enrolled', content: json(z.object({ data: Enrollment })) } }),
})

export const unenrolStudent = createRoute({
  method: 'delete',
  path: '/api/v1/courses/{id}/enrollments/{student_id}',
  security,
  summary: 'Take a student out of the course (teachers of the course, admins)',
  request: { params: z.object({ id: idText, student_id: idText }) },
  responses: course,
})

export const listEnrollments = createRoute({
  method: 'get',
  path: '/api/v1/courses/{id}/enrollments',
  security,
  summary: 'Who is enrolled, by id (teachers of the course, admins)',
  request: {
    params: id,
    query: z.object({ limit: limit(1_000, 200), after: idText.optional() }),
  },
  responses: withFailures({
    200: {
      description: 'Enrollments',
      content: json(z.object({ data: z.array(Enrollment), next: z.string().optional() })),
    },
  }),
})

export const assignTeacher = createRoute({
  method: 'post',
  path: '/api/v1/courses/{id}/teachers',
  security,
  summary: 'Let another teacher teach the course (teachers of the course, admins)',
  request: { params: id, body: { required: true, content: json(z.object({ teacher_id: idText })) } },
  responses: withFailures({ 201: { description: 'The course', content: json(z.object({ data: Course })) } }),
})

export const withdrawTeacher = createRoute({
  method: 'delete',
  path: '/api/v1/courses/{id}/teachers/{teacher_id}',
  security,
  summary: 'Take a teacher off the course, but never the last one (teachers of the course, admins)',
  request: { params: z.object({ id: idText, teacher_id: idText }) },
  responses: course,
})
