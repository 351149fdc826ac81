import { lessons as lessonView } from '../../../projections/lessons.ts'
import type { Contract } from '../../delivery/contract.ts'
import { zoneOf } from '../../gateway/http/zone.ts'
import { lessonCalls } from './calls.ts'
import { lessonCodes } from './codes.ts'
import { departures } from './departures.ts'
import { lessonRoutes } from './http.ts'
import { lessonAsked, lessonInbound } from './inbound.ts'
import { LessonsModel } from './lessons-model.ts'
import { lessonList } from './list.ts'
import { lostParticipants } from './lost-participants.ts'
import { lessonPast } from './missed.ts'
import { lessonNotices } from './notices.ts'
import { overdueLessons } from './overdue.ts'
import { lessonPace } from './pace.ts'
import { endOfPresence } from './presence-past.ts'
import type { LessonRecord } from './record.ts'
import { lessonRefusals } from './refusals.ts'
import { lessonShapes } from './shapes.ts'

/** Lessons of contract 000: planned, joined, dropped out of, returned to. */
export const lessons: Contract = {
  name: 'lessons',
  namespace: '/',
  views: [lessonView],
  wire: lessonShapes,
  calls: lessonAsked,
  refusals: lessonRefusals,
  open(node) {
    const { config, log, entities, clock, online, outlet, onError } = node
    const open = new LessonsModel(log)
    const pace = lessonPace({ lessons: open, outlet, clock })
    const codes = lessonCodes(entities)
    const lost = (record: LessonRecord | undefined) => lostParticipants(online, record)
    const calls = lessonCalls({ ...node, lessons: open, onWaiting: pace.onWaiting, codes })
    const overdue = overdueLessons({
      lessons: open,
      entities,
      lost,
      clock,
      onError: (error) => onError(error, 'overdue-lessons'),
    })
    const departed = departures({
      lessons: open,
      online,
      entities,
      endOfPresence: (org, id, since) => endOfPresence(log, org, id, since),
      clock,
      onError: (error) => onError(error, 'departures'),
    })
    return {
      feeds: [{ model: open, notices: lessonNotices, pace }],
      inbound: lessonInbound(calls),
      arrive: calls.arrive,
      past: lessonPast(node, open),
      keepsPlace: ({ org, id }, { lesson_id: named }) => open.lessonsOf(org, id).some((lesson) => lesson === named),
      routes: (app) =>
        lessonRoutes(app, {
          log,
          entities,
          lessons: lessonList(node.views, node.upTo),
          zone: zoneOf(config.timeZone),
          open: (id) => open.get(id),
          codes,
          lost: (id) => lost(open.get(id)),
          overrunMinutes: config.lessonOverrunMinutes,
          callOffHours: config.lessonCallOffHours,
          now: clock.now,
        }),
      policies: [
        departed,
        // Caught up after the departures: who had left a lesson that is due by now must not count as there until its
        // end.
        { catchUp: overdue.start, categories: ['lesson'], onEvent: overdue.onEvent },
      ],
      stop() {
        departed.stop()
        overdue.stop()
        pace.stop()
      },
    }
  },
}
