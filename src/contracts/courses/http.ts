import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { fields } from '../../gateway/http/fields.ts'
import { idFor } from '../../gateway/http/id-for.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { listed } from '../../gateway/http/pages.ts'
import { resources } from '../../gateway/http/resource.ts'
import { id, idText, limit, next, title } from '../../gateway/http/schemas.ts'
import { type AskCourseParts, changeCourse } from './ask.ts'
import { enrolmentRoutes } from './http-enrolments.ts'
import { type ProgressRoutesParts, progressRoutes } from './http-progress.ts'
import { type QuizRoutesParts, quizRoutes } from './http-quizzes.ts'
import { type RemarkRoutesParts, remarkRoutes } from './http-remarks.ts'
import { type ReviewRoutesParts, reviewRoutes } from './http-reviews.ts'
import { courseTeacherRoutes } from './http-teachers.ts'
import { videoRoutes } from './http-videos.ts'
import type { CourseList } from './list.ts'
import { courseRefusals } from './refusals.ts'
import { Course, courseResource } from './resources.ts'

export interface CourseRoutesParts
  extends AskCourseParts,
    RemarkRoutesParts,
    ReviewRoutesParts,
    QuizRoutesParts,
    ProgressRoutesParts {
  readonly courses: CourseList
}

const COURSES = '/api/v1/courses'

/** `/api/v1/courses`: kept by the course's teachers and the admins of the organisation. */
export function courseRoutes(app: OpenAPIHono<HttpEnv>, parts: CourseRoutesParts): void {
  const { access, courses, now } = parts
  const { act, read, list } = resources(app, courseRefusals)

  act(
    {
      method: 'post',
      path: COURSES,
      summary: 'Create a course (teachers, who thereby teach it; admins, who name its teachers)',
      description: 'Created',
      body: fields({ title, teacher_ids: z.array(idText).max(100).optional() }),
      data: Course,
      status: 201,
    },
    ({ by, call, body: { title, teacher_ids: teacherIds = [] } }) =>
      changeCourse(parts, idFor('course', by, call), { type: 'CreateCourse', title, teacherIds, by, at: now() }, call),
  )

  list(
    {
      method: 'get',
      path: COURSES,
      heavy: true,
      summary: 'The courses that you teach or attend; all of your organisation for admins; the latest first',
      description: 'Courses',
      query: { limit: limit(200, 50), after: next },
      items: Course,
    },
    async ({ by: { org, id, role }, query: { limit, after } }) => {
      if (role !== 'admin' && role !== 'teacher' && role !== 'student') return refuse('members-only')
      return listed(await courses.list({ org, id, role }, limit, after), courseResource)
    },
  )

  read(
    {
      method: 'get',
      path: `${COURSES}/{id}`,
      summary: 'A course (its students, its teachers, admins)',
      description: 'The course',
      params: id,
      data: Course,
    },
    async ({ by, params: { id } }) => {
      const course = await access.visible(id, by)
      return course instanceof Refusal ? course : courseResource(id, course)
    },
  )

  act(
    {
      method: 'patch',
      path: `${COURSES}/{id}`,
      summary: 'Call a course something else (its teachers, admins)',
      description: 'The course',
      params: id,
      body: fields({ title }),
      data: Course,
    },
    ({ by, call, params: { id }, body: { title } }) =>
      changeCourse(parts, id, { type: 'Retitle', title, by, at: now() }, call),
  )

  enrolmentRoutes(app, parts)
  courseTeacherRoutes(app, parts)
  videoRoutes(app, parts)
  remarkRoutes(app, parts)
  reviewRoutes(app, parts)
  quizRoutes(app, parts)
  progressRoutes(app, parts)
}
