import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import { idIn, isOf } from '../../../machines/stream.ts'
import type { TakenOut } from '../../delivery/subscriptions.ts'

/** Whom an event of a course keeps from looking on; null = nobody. */
export function takesOut(recorded: Recorded): TakenOut | null {
  if (!isOf('course', recorded)) return null
  const { event, revision: seq, stream } = recorded
  const topic = idIn('course', stream) ?? ''
  switch (event.type) {
    case 'StudentUnenrolled':
      return { topic, role: 'student', person: event.studentId, seq }
    case 'TeacherWithdrawn':
      return { topic, role: 'teacher', person: event.teacherId, seq }
    case 'CourseCreated':
    case 'CourseRetitled':
    case 'TeacherAssigned':
    case 'StudentEnrolled':
      return null
    default:
      return unreachable(event)
  }
}
