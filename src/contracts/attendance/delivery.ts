import type { CourseEvent } from '../../../machines/course/events.ts'
import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import { ATTENDANCE_STREAM } from '../../../projections/attendance-sessions.ts'
import { COURSE_STREAM } from '../../../projections/courses.ts'
import type { Clock } from '../../clock.ts'
import type { EventRef } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { AttendanceDesk } from './desk.ts'
import { activeSessions, sessionEnded, sessionStarted } from './notices.ts'
import { coursePace } from './pace.ts'
import type { Watchers } from './watchers.ts'
import type { ActiveSessions } from './wire.ts'

/**
 * Tells those who watch a course of its sessions: a part of the fanout, which gives it every event in the order of the
 * log.
 */
export interface AttendanceDelivery {
  readonly desk: AttendanceDesk
  /** True when `recall` has to come before `hear`. */
  lacks(recorded: Recorded): boolean
  recall(recorded: Recorded): Promise<void>
  /** Moves the desk; and, when `live`, tells who is to be told. */
  hear(recorded: Recorded, live: boolean): void
  /**
   * A course's active sessions now. Enter its room first, in the same turn: then nothing is missed. `otherwise`: where
   * it stands if no session was heard of.
   */
  data(course: string, otherwise: EventRef): ActiveSessions
  stop(): void
}

export interface AttendanceDeliveryOptions {
  readonly desk: AttendanceDesk
  readonly outlet: Pick<Outlet, 'push'>
  readonly watchers: Watchers
  readonly clock: Clock
}

export function attendanceDelivery({ desk, outlet, watchers, clock }: AttendanceDeliveryOptions): AttendanceDelivery {
  const data = (course: string, otherwise: EventRef): ActiveSessions =>
    activeSessions(course, desk.activeIn(course), desk.newest(course) ?? otherwise)

  const pace = coursePace({
    clock,
    push: ({ to, name, data: told }) => outlet.push(to, name, told),
    dataOf: (course, ref) => ({
      to: { kind: 'course', course },
      name: 'activeSessionsData',
      data: data(course, ref),
    }),
  })

  const hearCourse = ({ stream, event, revision }: Recorded<CourseEvent>): void => {
    const course = stream.slice(COURSE_STREAM.length)
    switch (event.type) {
      case 'StudentUnenrolled':
        watchers.withdraw(course, 'student', event.studentId, revision)
        break
      case 'TeacherWithdrawn':
        watchers.withdraw(course, 'teacher', event.teacherId, revision)
        break
      case 'CourseCreated':
      case 'TeacherAssigned':
      case 'StudentEnrolled':
        break
      default:
        unreachable(event)
    }
  }

  return {
    desk,
    lacks: (recorded) => desk.lacks(recorded),
    recall: ({ stream, revision }) => desk.recall(stream.slice(ATTENDANCE_STREAM.length), revision - 1),
    hear(recorded, live) {
      // by its stream
      if (live && recorded.stream.startsWith(COURSE_STREAM)) hearCourse(recorded as Recorded<CourseEvent>)
      const moved = desk.move(recorded)
      if (!moved || !live || moved.change === 'nothing') return
      const { session, change } = moved
      const { courseId } = session.row
      const notice =
        change === 'started' ? sessionStarted(session) : change === 'ended' ? sessionEnded(session) : undefined
      pace.tell(courseId, notice, session.ref)
    },
    data,
    stop: pace.stop,
  }
}
