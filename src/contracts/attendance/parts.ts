import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Server } from 'socket.io'
import type { Clock } from '../../clock.ts'
import { attendanceSentences } from './inbound.ts'
import type { ActiveSessionsError } from './wire.ts'
import { type AttendanceDelivery, attendanceDelivery } from './delivery.ts'
import { AttendanceDesk } from './desk.ts'
import type { Fanout } from '../../delivery/follower.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import { seedAttendance } from './seed.ts'
import { type AttendanceCalls, attendanceCalls } from './calls.ts'
import { checkInGuesses } from './check-in-guesses.ts'
import { courseAccess } from '../courses/access.ts'
import { courseList, sessionList } from '../courses/list.ts'
import { courseWatchers } from './course-watchers.ts'
import { attendanceRoutes } from './http.ts'
import { courseRoutes } from '../courses/http.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import type { Log } from '../../log/log.ts'
import { overdueAttendance } from './overdue.ts'
import type { Overdue } from '../../runtime/overdue.ts'
import { openLine } from '../../runtime/admission-queue.ts'
import type { Rooms } from '../../runtime/entities.ts'
import type { Keeper } from '../../views/runner.ts'
import type { ViewStore } from '../../views/store.ts'

export interface AttendancePartsOptions {
  readonly io: Server
  readonly log: Log
  readonly rooms: Rooms
  readonly store: ViewStore
  readonly outlet: Outlet
  readonly clock: Clock
  /** One setting for lessons and attendance sessions. */
  readonly overrunMinutes: number
  readonly failed: (error: unknown, where: string) => void
}

/** Everything of a node that is about attendance, to be put in its places by `serve`. */
export interface AttendanceParts {
  readonly delivery: AttendanceDelivery
  /**
   * The smaller of `position` and the one from which the log makes the sessions on the desk exact; null = the beginning
   * of the log.
   */
  seed(position: bigint | null): Promise<bigint | null>
  /** Ends what nobody ends. `start` once the desk is live. */
  readonly overdue: Overdue
  /** What clients ask, on sockets and over HTTP. */
  calls(fanout: Fanout): AttendanceCalls
  routes(app: OpenAPIHono<HttpEnv>, views: Keeper, upTo: () => bigint): void
  stop(): void
}

export function attendanceParts(options: AttendancePartsOptions): AttendanceParts {
  const { io, log, rooms, store, outlet, clock, overrunMinutes, failed } = options
  const { now } = clock
  const desk = new AttendanceDesk(log)
  const watchers = courseWatchers(io, ({ course, socket }) => {
    const code = 'not-in-course'
    const why: ActiveSessionsError = { message: `${code}: ${attendanceSentences[code]}`, code, course_id: course }
    socket.emit('activeSessionsError', why)
  })
  const delivery = attendanceDelivery({ desk, outlet, watchers, clock })
  const overdue = overdueAttendance({
    sessions: desk,
    rooms,
    clock,
    onError: (error) => failed(error, 'overdue-attendance'),
  })

  return {
    delivery,
    async seed(position) {
      const ours = await seedAttendance(desk, store, log)
      if (position === null || ours === null) return null
      return ours < position ? ours : position
    },
    overdue,
    calls: (fanout) => attendanceCalls({ io, log, rooms, attendance: delivery, watchers, fanout }),
    routes(app, views, upTo) {
      const line = openLine(rooms)
      const access = courseAccess(rooms)
      courseRoutes(app, { line, access, courses: courseList(views, upTo), now })
      const sessions = sessionList(views, upTo)
      attendanceRoutes(app, { log, rooms, line, access, sessions, guesses: checkInGuesses(), overrunMinutes, now })
    },
    stop() {
      overdue.stop()
      delivery.stop()
    },
  }
}
