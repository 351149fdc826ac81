import type { OpenAPIHono } from '@hono/zod-openapi'
import { Refusal } from '../../../machines/kernel.ts'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, idText, limit } from '../../gateway/http/schemas.ts'
import { type AskCourseParts, askCourse, changeCourse } from './ask.ts'
import { inOrder, pageOfIds } from './by-id.ts'
import { courseRefusals } from './refusals.ts'
import { Course, Enrollment, enrollmentResource } from './resources.ts'

const ENROLLMENTS = '/api/v1/courses/{id}/enrollments'

/** Who attends a course. */
export function enrolmentRoutes(app: OpenAPIHono<HttpEnv>, parts: AskCourseParts): void {
  const { access, now } = parts
  const { act, list } = resources(app, courseRefusals)

  act(
    {
      method: 'post',
      path: ENROLLMENTS,
      summary: 'Enrol a student (teachers of the course, admins); who is enrolled already stays so',
      description: 'Enrolled',
      params: id,
      body: fields({ student_id: idText }),
      data: Enrollment,
      status: 201,
    },
    async ({ by, call, params: { id }, body: { student_id: studentId } }) => {
      const answer = await askCourse(parts, id, { type: 'Enrol', studentId, by, at: now() }, call)
      return answer instanceof Refusal ? answer : enrollmentResource(id, studentId)
    },
  )

  act(
    {
      method: 'delete',
      path: `${ENROLLMENTS}/{student_id}`,
      summary: 'Take a student out of the course (teachers of the course, admins)',
      description: 'The course',
      params: { id: idText, student_id: idText },
      data: Course,
    },
    ({ by, call, params: { id, student_id: studentId } }) =>
      changeCourse(parts, id, { type: 'Unenrol', studentId, by, at: now() }, call),
  )

  list(
    {
      method: 'get',
      path: ENROLLMENTS,
      summary: 'Who is enrolled, by id (teachers of the course, admins)',
      description: 'Enrollments',
      params: id,
      query: { limit: limit(1_000, 200), after: idText.optional() },
      items: Enrollment,
    },
    async ({ by, params: { id }, query }) => {
      const course = await access.taught(id, by)
      if (course instanceof Refusal) return course
      const { ids, next } = pageOfIds(inOrder(course.students), query)
      return { data: ids.map((student) => enrollmentResource(id, student)), next }
    },
  )
}
