import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { activeIn, sessionsModel } from '../../src/contracts/attendance/sessions-model.ts'
import { LessonsModel } from '../../src/contracts/lessons/lessons-model.ts'
import { chatsModel, flaggedIn, openChatsOf, unclaimedIn } from '../../src/contracts/support-chat/chats-model.ts'
import type { Model } from '../../src/delivery/feed.ts'
import { codec } from '../../src/log/codec.ts'
import type { Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'

const MANY = 3_000
const at = 1_700_000_000_000
const org = 'acme'
const log = memoryLog({ codec: codec(eventSchemas), now: () => at })

let position = 0n
function tell(model: Model<unknown>, category: string, id: string, events: readonly object[]): void {
  for (const [revision, event] of events.entries()) {
    const place = { id: randomUUID(), stream: `${category}-${id}`, revision, position: position++, at }
    model.onEvent({ ...place, event: event as Event, meta: { correlationId: 'c', by: 'system' } } as Recorded)
  }
}

const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }
const plan = { org, teacherId: 'tea', title: 'L', startsAt: at, plannedMinutes: 45 }
const session = { org, courseId: 'c', teacherId: 'tea', teacherName: 'T', plannedMinutes: 45, checkIn: 'code' }

const chats = chatsModel(log)
const CHAT_LISTS = [unclaimedIn(org), flaggedIn(org), openChatsOf(org, 'v1'), openChatsOf(org, 'ann')]
const lessons = new LessonsModel(log)
const sessions = sessionsModel(log)

test.each([
  {
    what: 'chats',
    left: () => [[...chats.entries()], ...CHAT_LISTS.map((list) => [...chats.list(list)])],
    model: chats,
    one: (n: number) => [
      { type: 'ChatOpened', org, visitorId: `v${n}`, visitor, content: {} },
      { type: 'VisitorWrote', content: {} },
      { type: 'ChatClaimed', staffId: 'ann', role: 'agent' },
      { type: 'ChatFlagged', severity: 3, staffId: 'ann' },
      { type: 'ChatFlagged', severity: 0, staffId: 'ann' },
      { type: 'ChatClosed', reason: 'visitor-left' },
    ],
  },
  {
    what: 'lessons',
    left: () => [[...lessons.all()], ...['a1', 'b1', 'b2'].map((id) => lessons.lessonsOf(org, id))],
    model: lessons,
    one: (n: number) => [
      { type: 'LessonScheduled', ...plan, code: `C${n}` },
      ...(n % 2 ? [{ type: 'LessonStarted', at, dueAt: at + 1 }] : []),
      { type: 'HubJoined', hubId: 'ada', role: 'admin', at },
      ...['a', 'b'].map((id) => ({
        ...{
          type: 'ParticipantJoined',
          participantId: `${id}${n}`,
          role: 'student',
          name: id,
          at,
          home: org,
          presence: at,
        },
      })),
      { type: 'ParticipantLeft', participantId: `a${n}`, reason: 'left', at },
      { type: 'LessonEnded', reason: n % 2 ? 'overrun' : 'not-started', by: null, at },
    ],
  },
  {
    what: 'attendance sessions',
    left: () => [[...sessions.entries()], [...sessions.list(activeIn('c'))]],
    model: sessions,
    one: () =>
      [
        { type: 'AttendanceStarted', ...session, lateAfterMinutes: null, secret: 's', at, dueAt: at },
        ...[
          { type: 'AttendanceEnded', reason: 'ended', by: 'tea', byName: 'T', at, total: 0, present: 0, courseSeq: 0 },
        ],
      ].map((event) => ({ strangers: [], ...event })),
  },
])('[MEM-1] $what that have ended leave nothing in their model', ({ what, left, model, one }) => {
  const category = what === 'chats' ? 'chat' : what === 'lessons' ? 'lesson' : 'attendance'
  tell(model, category, 'open', one(0).slice(0, 1))
  const withOne = left().map(({ length }) => length)
  expect(withOne[0]).toBe(1)
  for (let n = 1; n <= MANY; n++) tell(model, category, `${category}${n}`, one(n))
  expect(left().map(({ length }) => length)).toEqual(withOne)
})
