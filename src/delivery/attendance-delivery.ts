import type { CourseEvent } from '../../machines/course/events.ts'
import { unreachable } from '../../machines/kernel.ts'
import { ATTENDANCE_STREAM } from '../../projections/attendance-sessions.ts'
import { COURSE_STREAM } from '../../projections/courses.ts'
import type { Told } from '../../projections/projection.ts'
import type { Clock, Timer } from '../clock.ts'
import { activeSessions, sessionEnded, sessionStarted } from '../contracts/attendance-notices.ts'
import type { ActiveSessions, AttendanceWire } from '../contracts/attendance-wire.ts'
import type { Notice, Place } from '../contracts/notice.ts'
import type { AttendanceDesk } from './attendance-desk.ts'
import type { Outlet } from './outlet.ts'
import type { Watchers } from './watchers.ts'

/** At least so long between two `activeSessionsData` of one course: three in any second, and room for a start and an end beside them. */
export const DATA_PACE_MS = 350

/** Tells those who watch a course of its sessions: a part of the fanout, which gives it every event in the order of the log. */
export interface AttendanceDelivery {
  readonly desk: AttendanceDesk
  /** True when `recall` has to come before `hear`. */
  lacks(told: Told): boolean
  recall(told: Told): Promise<void>
  /** Moves the desk; and, when `live`, tells who is to be told. */
  hear(told: Told, live: boolean): void
  /** A course's active sessions now. Enter its room first, in the same turn: then nothing is missed. `otherwise`: where it stands if no session was heard of. */
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
  /** Of courses that were told something less than a moment ago. `stale`: there is news since. */
  const paced = new Map<string, { timer: Timer; stale: boolean }>()

  const push = (notice: Notice<AttendanceWire> | undefined): void => {
    if (notice) outlet.push(notice.to, notice.name, notice.data)
  }

  const data = (course: string, otherwise: Place): ActiveSessions =>
    activeSessions(course, desk.activeIn(course), desk.newest(course) ?? otherwise)

  /** Now, or when the pace allows: what is told is how it stands then, so the last one is always the truth. */
  const tell = (course: string, place: Place): void => {
    const pace = paced.get(course)
    if (pace) {
      pace.stale = true
      return
    }
    push({ to: { kind: 'course', course }, name: 'activeSessionsData', data: data(course, place) })
    const timer = clock.after(DATA_PACE_MS, () => {
      const stale = paced.get(course)?.stale
      paced.delete(course)
      if (stale) tell(course, place)
    })
    paced.set(course, { timer, stale: false })
  }

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
      if (change === 'started') push(sessionStarted(session))
      if (change === 'ended') push(sessionEnded(session))
      tell(session.row.courseId, session.place)
    },
    data,
    stop() {
      for (const { timer } of paced.values()) timer.cancel()
      paced.clear()
    },
  }
}
