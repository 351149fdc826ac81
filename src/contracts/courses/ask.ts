import type { CourseCommand } from '../../../machines/course/commands.ts'
import { Refusal } from '../../../machines/kernel.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { CourseAccess } from './access.ts'
import { courseResource } from './resources.ts'

export interface AskCourseParts {
  readonly admission: AdmissionQueue
  readonly access: CourseAccess
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Asks a course. A repeat is known by what was sent, not by who asks when. */
export function askCourse(
  { admission }: AskCourseParts,
  id: string,
  command: CourseCommand,
  call: Call,
): Promise<Answer> {
  const { by: _, at: __, ...payload } = command
  return admission.ask('course', id, command, { ...call, payload })
}

/** Asks a course, and gives the course as it is after the answer. */
export async function changeCourse(parts: AskCourseParts, id: string, command: CourseCommand, call: Call) {
  const answer = await askCourse(parts, id, command, call)
  const course = answer instanceof Refusal ? answer : await parts.access.course(id, command.by)
  return course instanceof Refusal ? course : courseResource(id, course)
}
