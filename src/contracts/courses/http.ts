import { randomUUID } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { CourseCommand } from '../../../machines/course/commands.ts'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { CourseRow } from '../../../projections/courses.ts'
import { partyOf } from '../../gateway/auth/authenticator.ts'
import { failed, refused } from '../../gateway/http/errors.ts'
import { callOf, type HttpEnv } from '../../gateway/http/middleware.ts'
import type { Page } from '../../gateway/http/pages.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import { derivedId } from '../../runtime/ids.ts'
import { attendanceSentences } from '../attendance/inbound.ts'
import { iso } from '../shared/iso.ts'
import type { CourseAccess } from './access.ts'
import {
  assignTeacher,
  createCourse,
  enrolStudent,
  listCourses,
  listEnrollments,
  readCourse,
  unenrolStudent,
  withdrawTeacher,
} from './routes.ts'

export interface CourseList {
  /** Those of one person, or of the whole organisation. */
  list(
    whose: { readonly org: string; readonly role: 'admin' | 'teacher' | 'student'; readonly id: string },
    limit: number,
    after: string | undefined,
  ): Promise<Page<CourseRow>>
}

export interface CourseRoutesParts {
  readonly admission: AdmissionQueue
  readonly access: CourseAccess
  readonly courses: CourseList
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** `/api/v1/courses`: who teaches and who attends. Kept by the course's teachers and the admins of the organisation. */
export function courseRoutes(app: OpenAPIHono<HttpEnv>, { admission, access, courses, now }: CourseRoutesParts): void {
  const ask = (id: string, command: CourseCommand, call: Call): Promise<Answer> => {
    const { by: _, at: __, ...payload } = command
    return admission.ask('course', id, command, { ...call, payload })
  }

  /** The course as it is after the answer. */
  const after = async (id: string, by: Party, answer: Answer) => {
    const course = answer instanceof Refusal ? answer : await access.course(id, by)
    return course instanceof Refusal ? course : courseResource(id, course)
  }

  app.openapi(createCourse, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { title, teacher_ids: teacherIds = [] } = c.req.valid('json')
    const id = courseIdFor(by, call)
    const course = await after(id, by, await ask(id, { type: 'CreateCourse', title, teacherIds, by, at: now() }, call))
    return course instanceof Refusal ? refused(c, course, SENTENCES) : c.json({ data: course }, 201)
  })

  app.openapi(listCourses, async (c) => {
    const { org, id, role } = c.get('identity')
    if (role !== 'admin' && role !== 'teacher' && role !== 'student')
      return refused(c, refuse('members-only'), SENTENCES)
    const { limit, after: place } = c.req.valid('query')
    const page = await courses.list({ org, id, role }, limit, place)
    const data = page.rows.map(([course, row]) => courseResource(course, row))
    return c.json(page.next === undefined ? { data } : { data, next: page.next }, 200)
  })

  app.openapi(readCourse, async (c) => {
    const { id } = c.req.valid('param')
    const course = await access.visible(id, partyOf(c.get('identity')))
    return course instanceof Refusal ? refused(c, course, SENTENCES) : c.json({ data: courseResource(id, course) }, 200)
  })

  app.openapi(enrolStudent, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { id } = c.req.valid('param')
    const { student_id: studentId } = c.req.valid('json')
    const answer = await ask(id, { type: 'Enrol', studentId, by, at: now() }, call)
    return answer instanceof Refusal
      ? refused(c, answer, SENTENCES)
      : c.json({ data: enrollmentResource(id, studentId) }, 201)
  })

  app.openapi(unenrolStudent, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { id, student_id: studentId } = c.req.valid('param')
    const course = await after(id, by, await ask(id, { type: 'Unenrol', studentId, by, at: now() }, call))
    return course instanceof Refusal ? refused(c, course, SENTENCES) : c.json({ data: course }, 200)
  })

  app.openapi(listEnrollments, async (c) => {
    const { id } = c.req.valid('param')
    const { limit, after: last = '' } = c.req.valid('query')
    const course = await access.taught(id, partyOf(c.get('identity')))
    if (course instanceof Refusal) return refused(c, course, SENTENCES)
    const rest = course.students.filter((student) => student > last).sort()
    const data = rest.slice(0, limit).map((student) => enrollmentResource(id, student))
    const next = data.at(-1)?.student_id
    return c.json(rest.length > limit && next !== undefined ? { data, next } : { data }, 200)
  })

  app.openapi(assignTeacher, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { id } = c.req.valid('param')
    const { teacher_id: teacherId } = c.req.valid('json')
    const course = await after(id, by, await ask(id, { type: 'AssignTeacher', teacherId, by, at: now() }, call))
    return course instanceof Refusal ? refused(c, course, SENTENCES) : c.json({ data: course }, 201)
  })

  app.openapi(withdrawTeacher, async (c) => {
    const by = partyOf(c.get('identity'))
    const call = callOf(c)
    if (call === null) return failed(c, 400, 'bad-request', KEY_SHAPE)
    const { id, teacher_id: teacherId } = c.req.valid('param')
    const course = await after(id, by, await ask(id, { type: 'WithdrawTeacher', teacherId, by, at: now() }, call))
    return course instanceof Refusal ? refused(c, course, SENTENCES) : c.json({ data: course }, 200)
  })
}

const KEY_SHAPE = 'Idempotency-Key must be 1 to 128 printable ASCII characters'
const SENTENCES = {
  ...attendanceSentences,
  'members-only': 'courses are for teachers, students and admins',
  'teachers-only': 'forbidden: this is for teachers of the course, and mostly for admins',
}

/** With an `Idempotency-Key` it follows from the key, so that a repeat meets the same course. */
const courseIdFor = ({ org, id }: Party, { clientId }: Call): string =>
  clientId === undefined ? randomUUID().replaceAll('-', '') : derivedId(`course ${org}.${id}\n${clientId}`)

type CourseFacts = Pick<CourseRow, 'title' | 'teachers' | 'students' | 'createdAt' | 'seq'>

const courseResource = (id: string, { title, teachers, students, createdAt, seq }: CourseFacts) => ({
  id,
  title,
  teacher_ids: [...teachers],
  student_count: students.length,
  created_at: iso(createdAt),
  seq,
})

const enrollmentResource = (course: string, student: string) => ({
  id: student,
  course_id: course,
  student_id: student,
})
