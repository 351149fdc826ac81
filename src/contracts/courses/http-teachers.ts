import type { OpenAPIHono } from '@hono/zod-openapi'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, idText } from '../../gateway/http/schemas.ts'
import { type AskCourseParts, changeCourse } from './ask.ts'
import { courseRefusals } from './refusals.ts'
import { Course } from './resources.ts'

const TEACHERS = '/api/v1/courses/{id}/teachers'

/** Who teaches a course. */
export function courseTeacherRoutes(app: OpenAPIHono<HttpEnv>, parts: AskCourseParts): void {
  const { now } = parts
  const { act } = resources(app, courseRefusals)

  act(
    {
      method: 'post',
      path: TEACHERS,
      summary: 'Let another teacher teach the course (teachers of the course, admins)',
      description: 'The course',
      params: id,
      body: fields({ teacher_id: idText }),
      data: Course,
      status: 201,
    },
    ({ by, call, params: { id }, body: { teacher_id: teacherId } }) =>
      changeCourse(parts, id, { type: 'AssignTeacher', teacherId, by, at: now() }, call),
  )

  act(
    {
      method: 'delete',
      path: `${TEACHERS}/{teacher_id}`,
      summary: 'Take a teacher off the course, but never the last one (teachers of the course, admins)',
      description: 'The course',
      params: { id: idText, teacher_id: idText },
      data: Course,
    },
    ({ by, call, params: { id, teacher_id: teacherId } }) =>
      changeCourse(parts, id, { type: 'WithdrawTeacher', teacherId, by, at: now() }, call),
  )
}
