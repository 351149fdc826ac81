import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Server } from 'socket.io'
import type { Clock } from '../../clock.ts'
import type { Follower } from '../../delivery/follower.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import type { Log, Recorded } from '../../log/log.ts'
import type { Hubs } from '../../presence/hubs.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { ViewRunner } from '../../views/runner.ts'
import type { ViewStore } from '../../views/store.ts'
import type { Desk } from '../support-chat/desk.ts'
import { type LessonCalls, lessonCalls } from './calls.ts'
import { lessonCodes } from './codes.ts'
import { type LessonDelivery, lessonDelivery } from './delivery.ts'
import { lessonAttendance } from './departures.ts'
import { LessonDesk } from './desk.ts'
import { lessonRoutes } from './http.ts'
import { lessonList } from './list.ts'
import { lostParticipants } from './lost-participants.ts'
import { overdueLessons } from './overdue.ts'
import { endOfPresence } from './presence-past.ts'
import { seedLessons } from './seed.ts'

export interface LessonPartsOptions {
  readonly log: Log
  readonly entities: Entities
  readonly store: ViewStore
  readonly outlet: Outlet
  readonly clock: Clock
  readonly overrunMinutes: number
  readonly failed: (error: unknown, where: string) => void
}

/** Everything of a node that is about lessons, to be put in its places by `serve`. */
export interface LessonParts {
  readonly delivery: LessonDelivery
  /**
   * The smaller of `position` and the one from which the log makes the lessons on the desk exact; null = the beginning
   * of the log.
   */
  seed(position: bigint | null): Promise<bigint | null>
  /** What is done about lessons by itself. `start` before anybody is recorded as lost because this node was down. */
  policies(desk: Desk): { heard(recorded: Recorded): void; start(): Promise<void> }
  /** What clients ask, on sockets and over HTTP. */
  calls(io: Server, follower: Follower, hubs: Hubs): LessonCalls
  routes(app: OpenAPIHono<HttpEnv>, views: ViewRunner, upTo: () => bigint, desk: Desk): void
  stop(): void
}

export function lessonParts({
  log,
  entities,
  store,
  outlet,
  clock,
  overrunMinutes,
  failed,
}: LessonPartsOptions): LessonParts {
  const lessons = new LessonDesk(log)
  const delivery = lessonDelivery({ desk: lessons, outlet, clock })
  const codes = lessonCodes(entities)
  let stopPolicies = (): void => {}

  return {
    delivery,
    async seed(position) {
      const ours = await seedLessons(lessons, store, log, (error) => failed(error, 'lessons'))
      if (position === null || ours === null) return null
      return ours < position ? ours : position
    },
    policies(desk) {
      const attendance = lessonAttendance({
        lessons,
        desk,
        entities,
        endOfPresence: (org, id, since) => endOfPresence(log, org, id, since),
        clock,
        onError: (error) => failed(error, 'lesson-attendance'),
      })
      const overdue = overdueLessons({
        lessons,
        entities,
        lost: (record) => lostParticipants(desk, record),
        clock,
        onError: (error) => failed(error, 'overdue-lessons'),
      })
      stopPolicies = overdue.stop
      return {
        heard(recorded) {
          attendance.onEvent(recorded)
          overdue.onEvent(recorded)
        },
        async start() {
          // first: who had left a lesson that is due by now must not count as there until its end
          await attendance.start()
          await overdue.start()
        },
      }
    },
    calls: (io, follower, hubs) =>
      lessonCalls({ io, entities, lessons: delivery, follower, codes, hubs, clock, onError: failed }),
    routes(app, views, upTo, desk) {
      const lost = (lesson: string) => lostParticipants(desk, lessons.get(lesson))
      lessonRoutes(app, {
        log,
        entities,
        lessons: lessonList(views, upTo),
        codes,
        lost,
        overrunMinutes,
        now: clock.now,
      })
    },
    stop() {
      stopPolicies()
      delivery.stop()
    },
  }
}
