import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Server } from 'socket.io'
import type { Clock } from '../../clock.ts'
import type { Follower } from '../../delivery/follower.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import type { Log } from '../../log/log.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Overdue } from '../../runtime/overdue.ts'
import type { ViewRunner } from '../../views/runner.ts'
import type { ViewStore } from '../../views/store.ts'
import { courseAccess } from '../courses/access.ts'
import { courseRoutes } from '../courses/http.ts'
import { courseList } from '../courses/list.ts'
import { type AttendanceCalls, attendanceCalls } from './calls.ts'
import { checkInGuesses } from './check-in-guesses.ts'
import { courseWatchers } from './course-watchers.ts'
import { type AttendanceDelivery, attendanceDelivery } from './delivery.ts'
import { AttendanceDesk } from './desk.ts'
import { attendanceRoutes } from './http.ts'
import { attendanceSentences } from './inbound.ts'
import { sessionList } from './list.ts'
import { overdueAttendance } from './overdue.ts'
import { seedAttendance } from './seed.ts'
import type { ActiveSessionsError } from './wire.ts'

export interface AttendancePartsOptions {
  readonly io: Server
  readonly log: Log
  readonly entities: Entities
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
  calls(follower: Follower): AttendanceCalls
  routes(app: OpenAPIHono<HttpEnv>, views: ViewRunner, upTo: () => bigint): void
  stop(): void
}

export function attendanceParts(options: AttendancePartsOptions): AttendanceParts {
  const { io, log, entities, store, outlet, clock, overrunMinutes, failed } = options
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
    entities,
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
    calls: (follower) => attendanceCalls({ io, log, entities, attendance: delivery, watchers, follower }),
    routes(app, views, upTo) {
      const admission = admissionQueue(entities)
      const access = courseAccess(entities)
      courseRoutes(app, { admission, access, courses: courseList(views, upTo), now })
      const sessions = sessionList(views, upTo)
      attendanceRoutes(app, {
        log,
        entities,
        admission,
        access,
        sessions,
        guesses: checkInGuesses(),
        overrunMinutes,
        now,
      })
    },
    stop() {
      overdue.stop()
      delivery.stop()
    },
  }
}
