import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import type { JoinLesson } from '../../machines/lesson/commands.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { departures } from '../../src/contracts/lessons/departures.ts'
import { LessonsModel } from '../../src/contracts/lessons/lessons-model.ts'
import { lessonList } from '../../src/contracts/lessons/list.ts'
import { lostParticipants } from '../../src/contracts/lessons/lost-participants.ts'
import { overdueLessons } from '../../src/contracts/lessons/overdue.ts'
import { endOfPresence } from '../../src/contracts/lessons/presence-past.ts'
import { onlineModel } from '../../src/delivery/online-model.ts'
import type { Views } from '../../src/gateway/http/pages.ts'
import { codec } from '../../src/log/codec.ts'
import type { Following, Log, Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { eventually } from '../support/lessons.ts'

const org = 'acme'
const LESSON = 'l1'
const GRACE_MS = 15_000
const tea: Party = { id: 'tea', org, role: 'teacher' }
const stu: Party = { id: 'stu', org, role: 'student' }
const system: Party = { id: 'system', org, role: 'system' }

let clock: ManualClock
let log: Log
let errors: unknown[]
let nodes: Node[]

interface Node {
  readonly entities: Entities
  readonly following: Following
  readonly stop: () => Promise<void>
}

/** The policies of one node, on their own rooms and desks, over the log that all nodes share. */
async function node(): Promise<Entities> {
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: true, now: clock.now, idleMs: 60_000 })
  const online = onlineModel(log)
  const lessons = new LessonsModel(log)
  const onError = (error: unknown): void => void errors.push(error)
  const ends = (home: string, id: string, since: number) => endOfPresence(log, home, id, since)
  const attendance = departures({ lessons, online, entities, endOfPresence: ends, clock, onError })
  const overdue = overdueLessons({
    lessons,
    entities,
    lost: (record) => lostParticipants(online, record),
    clock,
    onError,
  })
  let live = false
  const caughtUp = Promise.withResolvers<void>()
  const following = log.follow({
    after: 'start',
    each(batch) {
      for (const recorded of batch) {
        online.onEvent(recorded)
        lessons.onEvent(recorded)
        if (!live) continue
        attendance.onEvent(recorded)
        overdue.onEvent(recorded)
      }
    },
    caughtUp: caughtUp.resolve,
  })
  await caughtUp.promise
  live = true
  await attendance.catchUp?.()
  overdue.start()
  const stop = async (): Promise<void> => {
    attendance.stop()
    overdue.stop()
    await following.stop()
    await entities.stop()
  }
  nodes.push({ entities, following, stop })
  return entities
}

beforeEach(() => {
  clock = manualClock()
  log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  errors = []
  nodes = []
})
afterEach(async () => {
  for (const one of nodes) await one.stop()
  await log.close()
  expect(errors).toEqual([])
})

/** Rooms on which no policy looks: what they record is what a node recorded before it died. */
const bare = (): Entities => {
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: true, now: clock.now, idleMs: 60_000 })
  nodes.push({ entities, following: { stop: async () => {} }, stop: () => entities.stop() })
  return entities
}

async function inLesson(entities: Entities): Promise<void> {
  const plan = { title: 'T', startsAt: clock.now(), plannedMinutes: 45, code: 'ABCDEFGH' }
  await entities.ask('lesson', LESSON, { type: 'ScheduleLesson', ...plan, callOffHours: 24, by: tea, at: clock.now() })
  await entities.ask('lesson', LESSON, { type: 'StartLesson', overrunMinutes: 30, by: tea, at: clock.now() })
  await arrive(entities)
  await join(entities)
}
async function join(entities: Entities): Promise<void> {
  const { since, backAt, past } = (await entities.state('presence', 'acme.stu')).state.context
  const more = { name: null, invited: false, guest: false, resume: false, backAt, past, by: stu, at: clock.now() }
  await entities.ask('lesson', LESSON, { type: 'JoinLesson', presence: since ?? 0, ...more } satisfies JoinLesson)
}
const arrive = (entities: Entities) =>
  entities.ask('presence', 'acme.stu', { type: 'Arrive', role: 'student', by: stu, at: clock.now() })
const lose = (entities: Entities) =>
  entities.ask('presence', 'acme.stu', { type: 'Leave', how: 'lost', graceMs: GRACE_MS, by: system, at: clock.now() })
const expire = async (entities: Entities) => {
  const { until } = (await entities.state('presence', 'acme.stu')).state.context
  return entities.ask('presence', 'acme.stu', { type: 'Expire', until: until ?? 0, by: system, at: clock.now() })
}

async function history(): Promise<LessonEvent[]> {
  const all: Recorded[] = []
  for await (const batch of log.read(`lesson-${LESSON}`)) all.push(...batch)
  return all.map(({ event }) => event as LessonEvent)
}
const settled = (type: LessonEvent['type'], count = 1) =>
  eventually(history, (events) => events.filter((event) => event.type === type).length === count)

describe('[LESSON-50] two nodes look, and record once', () => {
  test('that somebody has left, when they were lost', async () => {
    const [one] = [await node(), await node()]
    await inLesson(one)
    clock.advance(10_000)
    const lostAt = clock.now()
    await lose(one)
    clock.advance(GRACE_MS)
    await expire(one)
    expect((await settled('ParticipantLeft')).at(-1)).toEqual({
      type: 'ParticipantLeft',
      participantId: 'stu',
      reason: 'disconnected',
      at: lostAt,
    })
    await join(one) // answered after whatever the other node asked before
    expect((await history()).filter(({ type }) => type === 'ParticipantLeft')).toHaveLength(1)
  })
  test('that somebody is back', async () => {
    const [one] = [await node(), await node()]
    await inLesson(one)
    await lose(one)
    clock.advance(3_000)
    await arrive(one)
    expect((await settled('ParticipantReconnected')).at(-1)).toMatchObject({ awayMs: 3_000, at: clock.now() })
    clock.advance(1_000)
    await lose(one)
    clock.advance(2_000)
    await arrive(one)
    expect((await settled('ParticipantReconnected', 2)).at(-1)).toMatchObject({ awayMs: 2_000 })
  })
  test('that a lesson is over', async () => {
    const [one] = [await node(), await node()]
    await inLesson(one)
    await lose(one)
    const lostAt = clock.now()
    await eventually(
      () => clock.pending(),
      (timers) => timers >= 4, // each node waits for its end, and has waited for its start
    )
    clock.advance(75 * 60_000)
    const events = await settled('LessonEnded')
    expect(events.slice(-2)).toMatchObject([
      { type: 'ParticipantLeft', reason: 'disconnected', at: lostAt },
      { type: 'LessonEnded', reason: 'overrun', at: lostAt + 75 * 60_000 },
    ])
  })
})

describe('[LESSON-60] a lesson that nobody starts is called off', () => {
  const DAY_MS = 86_400_000
  const plan = async (entities: Entities, id: string, startsAt = clock.now()) =>
    entities.ask('lesson', id, {
      ...{ type: 'ScheduleLesson', title: 'T', startsAt, plannedMinutes: 45, code: `CODE${id}`, callOffHours: 24 },
      ...{ by: tea, at: clock.now() },
    })
  test('by the first of two nodes, once; changing its plan puts that off', async () => {
    const [one] = [await node(), await node()]
    const startsAt = clock.now()
    await plan(one, LESSON)
    const change = { type: 'ChangeLessonPlan', startsAt: startsAt + DAY_MS, callOffHours: 24 } as const
    await one.ask('lesson', LESSON, { ...change, by: tea, at: clock.now() })
    clock.advance(DAY_MS)
    await one.ask('lesson', LESSON, { ...change, startsAt: startsAt + 2 * DAY_MS, by: tea, at: clock.now() })
    clock.advance(2 * DAY_MS)
    // A node may hear of a change after the clock has moved.
    const events = await eventually(
      () => {
        clock.advance(1_000)
        return history()
      },
      (all) => all.some(({ type }) => type === 'LessonEnded'),
    )
    expect(events.at(-1)).toEqual({
      ...{ type: 'LessonEnded', reason: 'not-started', by: null, at: startsAt + 3 * DAY_MS },
    })
    expect((await history()).map(({ type }) => type)).toEqual([
      ...['LessonScheduled', 'LessonPlanChanged', 'LessonPlanChanged', 'LessonEnded'],
    ])
  })
  test('also hundreds of them, years later at a first start, which does not wait for them', async () => {
    const entities = bare()
    await inLesson(entities)
    const ids = Array.from({ length: 300 }, (_, n) => `old${n}`)
    await Promise.all(ids.map((id) => plan(entities, id)))
    clock.advance(1_000 * DAY_MS)
    const one = await node()
    await eventually(
      async () => {
        const states = await Promise.all(ids.map((id) => one.latest('lesson', id)))
        return states.filter(({ state }) => state.matches('ended')).length
      },
      (over) => over === ids.length,
    )
    expect((await settled('LessonEnded')).at(-1)).toMatchObject({ reason: 'overrun' }) // what was live is ended as ever
  })
})

describe('[LESSON-51] what a crash left half done is found again at the start', () => {
  test('a participant whose presence is over', async () => {
    const entities = bare()
    await inLesson(entities)
    clock.advance(5_000)
    const lostAt = clock.now()
    await lose(entities)
    clock.advance(GRACE_MS)
    await expire(entities)
    clock.advance(1_000)
    await arrive(entities) // in another presence, and not in the lesson
    await node()
    expect((await history()).at(-1)).toMatchObject({ type: 'ParticipantLeft', reason: 'disconnected', at: lostAt })
  })
  test('a return that the lesson does not know of', async () => {
    const entities = bare()
    await inLesson(entities)
    await lose(entities)
    clock.advance(4_000)
    await arrive(entities)
    clock.advance(60_000)
    await node()
    expect((await history()).at(-1)).toMatchObject({
      type: 'ParticipantReconnected',
      awayMs: 4_000,
      at: clock.now() - 60_000,
    })
  })
  test('a lesson that was due, with those who were gone before', async () => {
    const entities = bare()
    await inLesson(entities)
    clock.advance(60_000)
    const lostAt = clock.now()
    await lose(entities)
    clock.advance(GRACE_MS)
    await expire(entities)
    clock.advance(10 * 60 * 60_000)
    await node()
    const dueAt = lostAt - 60_000 + 75 * 60_000
    expect((await settled('LessonEnded')).slice(-2)).toMatchObject([
      { type: 'ParticipantLeft', at: lostAt },
      { type: 'LessonEnded', reason: 'overrun', at: dueAt },
    ])
  })
})

test('[LESSON-52] whoever joins and is gone before that is heard of does not stay in', async () => {
  const one = await node()
  await inLesson(one)
  await one.ask('presence', 'acme.stu', { type: 'Leave', how: 'closed', graceMs: GRACE_MS, by: stu, at: clock.now() })
  await settled('ParticipantLeft')
  await arrive(one)
  const { since } = (await one.state('presence', 'acme.stu')).state.context
  await one.ask('presence', 'acme.stu', { type: 'Leave', how: 'closed', graceMs: GRACE_MS, by: stu, at: clock.now() })
  const late: JoinLesson = {
    type: 'JoinLesson',
    name: null,
    invited: false,
    guest: false,
    resume: false,
    presence: since ?? 0,
    backAt: null,
    past: null,
    by: stu,
    at: clock.now(),
  }
  await one.ask('lesson', LESSON, late)
  await settled('ParticipantLeft', 2)
})

test('[LESSON-60] one that is to be called off by now is not listed as one to come, recorded or not', async () => {
  const at = clock.now()
  const row = (callOffAt: number) => ({ org, status: 'scheduled', callOffAt })
  const entries = [at + 1, at].map((callOffAt) => ({
    index: `i${callOffAt}`,
    key: `l${callOffAt}`,
    row: row(callOffAt),
  }))
  const views = { scan: async () => ({ position: 0n, entries }), reached: async () => true } as unknown as Views
  const filter = { org, teacher: undefined, now: at }
  const listed = async (state: 'scheduled' | undefined) =>
    (await lessonList(views, () => 0n).list({ ...filter, state }, 10, undefined)).rows.map(([id]) => id)
  expect(await listed('scheduled')).toEqual([`l${at + 1}`])
  expect(await listed(undefined)).toEqual([`l${at + 1}`, `l${at}`])
})
