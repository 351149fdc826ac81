import { attendanceSessions } from '../../../projections/attendance-sessions.ts'
import type { Contract } from '../../delivery/contract.ts'
import { latestPace } from '../../delivery/latest-pace.ts'
import { guesses } from '../../gateway/auth/guesses.ts'
import { zoneOf } from '../../gateway/http/zone.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import { courseAccess } from '../courses/access.ts'
import { courseList } from '../courses/list.ts'
import { activeLimit } from './active-limit.ts'
import { courseTables } from './course-table.ts'
import { courseTopic } from './course-topic.ts'
import { attendanceRoutes } from './http.ts'
import { attendanceAsked, attendanceInbound } from './inbound.ts'
import { sessionList } from './list.ts'
import { activeSessions, type SessionsNow, sessionNotices } from './notices.ts'
import { overdueAttendance } from './overdue.ts'
import { attendanceRefusals } from './refusals.ts'
import { activeIn, sessionsModel } from './sessions-model.ts'
import { attendanceAnswers, attendanceShapes } from './shapes.ts'

/** No course gets more pushes than five a second, and what a network may press together. */
export const PACE = { maxPushes: 5, windowMs: 1_050, latestEveryMs: 350 }

/** Contract 004: attendance sessions of courses, watched live. */
export const attendance: Contract = {
  name: 'attendance',
  namespace: '/',
  views: [attendanceSessions],
  wire: attendanceShapes,
  toOne: attendanceAnswers,
  calls: attendanceAsked,
  refusals: attendanceRefusals,
  open(node) {
    const { config, clock, log, entities, outlet, onError } = node
    const sessions = sessionsModel(log)
    const newest = (course: string) => sessions.newest(activeIn(course))
    const now: SessionsNow = (course, otherwise) =>
      activeSessions(course, sessions.list(activeIn(course)), newest(course) ?? otherwise)
    const watching = node.subscriptionsTo(courseTopic({ log, entities, sessions: now, newest }))
    const overdue = overdueAttendance({
      sessions,
      entities,
      clock,
      onError: (error) => onError(error, 'overdue-attendance'),
    })
    const limit = activeLimit((course) => sessions.list(activeIn(course)))
    const pace = latestPace({ outlet, clock, ...PACE })
    return {
      feeds: [{ model: sessions, notices: (change) => sessionNotices(change, now), pace }],
      inbound: attendanceInbound(watching),
      subscriptions: [watching],
      routes: (app) =>
        attendanceRoutes(app, {
          log,
          entities,
          admission: admissionQueue(entities),
          access: courseAccess(entities),
          sessions: sessionList(node.views, node.upTo),
          guesses: guesses({ firstSeconds: 60 }),
          limit,
          tables: courseTables(log),
          courses: courseList(node.views, node.upTo),
          views: node.views,
          zone: zoneOf(config.timeZone),
          overrunMinutes: config.lessonOverrunMinutes,
          now: clock.now,
        }),
      policies: [{ ...overdue, categories: ['attendance'] }, limit],
      stop() {
        overdue.stop()
        pace.stop()
      },
    }
  },
}
