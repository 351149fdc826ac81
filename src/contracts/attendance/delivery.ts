import type { CourseEvent } from '../../../machines/course/events.ts'
import { unreachable } from '../../../machines/kernel.ts'
import { ATTENDANCE_STREAM } from '../../../projections/attendance-sessions.ts'
import { COURSE_STREAM } from '../../../projections/courses.ts'
import type { Told } from '../../../projections/projection.ts'
import type { Clock } from '../../clock.ts'
import { activeSessions, sessionEnded, sessionStarted } from './notices.ts'
import type { ActiveSessions } from './wire.ts'
import type { Place } from '../../delivery/notice.ts'
import type { AttendanceDesk } from './desk.ts'
import { coursePace } from './pace.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { Watchers } from './watchers.ts'

/**
 * Tells those who watch a course of its sessions: a part of the fanout, which gives it every event in the order of the
 * log.
 */
export interface AttendanceDelivery {
  readonly desk: AttendanceDesk
  /** True when `recall` has to come before `hear`. */
  lacks(told: Told): boolean
  recall(told: Told): Promise<void>
  /** Moves the desk; and, when `live`, tells who is to be told. */
  hear(told: Told, live: boolean): void
  /**
   * A course's active sessions now. Enter its room first, in the same turn: then nothing is missed. `otherwise`: where
   * it stands if no session was heard of.
   */
  data(course: string, otherwise: Place): ActiveSessions
  stop(): void
}

export interface AttendanceDeliveryOptions {
  readonly desk: AttendanceDesk
  readonly outlet: Pick<Outlet, 'push'>
  readonly watchers: Watchers
  readonly clock: Clock
}

export function attendanceDelivery({ desk, outlet, watchers, clock }: AttendanceDeliveryOptions): AttendanceDelivery {
  const data = (course: string, otherwise: Place): ActiveSessions =>
    activeSessions(course, desk.activeIn(course), desk.newest(course) ?? otherwise)

  const pace = coursePace({
    clock,
    push: ({ to, name, data: told }) => outlet.push(to, name, told),
    dataOf: (course, place) => ({
      to: { kind: 'course', course },
      name: 'activeSessionsData',
      data: data(course, place),
    }),
  })

  const hearCourse = ({ stream, event, revision }: Told<CourseEvent>): void => {
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
    lacks: (told) => desk.lacks(told),
    recall: ({ stream, revision }) => desk.recall(stream.slice(ATTENDANCE_STREAM.length), revision - 1),
    hear(told, live) {
      if (live && told.stream.startsWith(COURSE_STREAM)) hearCourse(told as Told<CourseEvent>) // by its stream
      const moved = desk.move(told)
      if (!moved || !live || moved.change === 'nothing') return
      const { session, change } = moved
      const { courseId } = session.row
      const notice =
        change === 'started' ? sessionStarted(session) : change === 'ended' ? sessionEnded(session) : undefined
      pace.tell(courseId, notice, session.place)
    },
    data,
    stop: pace.stop,
  }
}
