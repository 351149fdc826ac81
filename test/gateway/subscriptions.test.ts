import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, type Recorded, Refusal } from '../../machines/kernel.ts'
import { courseTopic } from '../../src/contracts/attendance/course-topic.ts'
import { attendanceInbound } from '../../src/contracts/attendance/inbound.ts'
import type { Subscriptions } from '../../src/delivery/subscriptions.ts'
import { subscriptionsTo } from '../../src/gateway/sockets/subscriptions.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { manualClock } from '../support/clock.ts'
import { type FakeConnection, fakeConnection } from '../support/connection.ts'
import { eventually } from '../support/lessons.ts'

const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const ann: Party = { id: 'ann', org, role: 'student' }
const clock = manualClock()

let log: Log
let entities: Entities
let watching: Subscriptions
let client: FakeConnection
/** Set: the next look into a course is taken, and its answer kept back until this resolves. */
let holdBack: Promise<void> | undefined
let looks: number

beforeEach(async () => {
  log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: clock.now, idleMs: 60_000 })
  client = fakeConnection(ann)
  holdBack = undefined
  looks = 0
  const judged: Entities['judged'] = async (category, id, judge) => {
    looks++
    const seen = await entities.judged(category, id, judge)
    const held = holdBack
    holdBack = undefined
    await held
    return seen
  }
  const follower = { position: () => entities.lastPosition(), until: () => Promise.resolve(true) }
  const topic = courseTopic({
    log,
    entities: { judged },
    sessions: (course_id, ref) => ({ ...ref, course_id, activeSessions: [] }),
    newest: () => undefined,
  })
  watching = subscriptionsTo(topic, {
    ...{ entities, follower, log, now: clock.now },
    onError(error) {
      throw error
    },
  })
  await entities.ask('course', 'c', { type: 'CreateCourse', title: 'T', teacherIds: [], by: tea, at: 0 })
  await change('Enrol')
})
afterEach(() => entities.stop())

const watch = () => watching.subscribe('c', client)
const isIn = (): boolean => client.rooms.has('course c')
/** Records it, and gives what is recorded. */
async function change(type: 'Enrol' | 'Unenrol'): Promise<Recorded> {
  const answer = await entities.ask('course', 'c', { type, studentId: 'ann', by: tea, at: 0 })
  if (answer instanceof Refusal) throw new Error(answer.code)
  for await (const [recorded] of log.read('course-c', { from: answer.seq, limit: 1 })) if (recorded) return recorded
  throw new Error('nothing was recorded')
}
/** Records it, and this node hears of it. */
const heard = async (type: 'Enrol' | 'Unenrol'): Promise<void> => watching.onEvent(await change(type))
/** Asks, and lets something happen between the look into the course and its answer. */
async function meanwhile(happens: () => Promise<void> | void) {
  const held = Promise.withResolvers<void>()
  holdBack = held.promise
  const answer = watch()
  await eventually(
    () => holdBack === undefined,
    (taken) => taken,
  )
  await happens()
  held.resolve()
  return (await answer).answer
}

test('[WATCH-7] who is taken out of the course between the look and the answer is refused', async () => {
  const answer = await meanwhile(() => heard('Unenrol'))
  expect(answer).toMatchObject({ kind: 'refusal', code: 'not-in-course' })
  expect(looks).toBe(2)
  expect(isIn()).toBe(false)
  expect(client.heard).toEqual([])
})
test('[WATCH-7] who is taken out and put back between the look and the answer is in', async () => {
  const answer = await meanwhile(async () => {
    await heard('Unenrol')
    await change('Enrol')
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test('[WATCH-7] who watches already, subscribes again, and is taken out and put back meanwhile, is in', async () => {
  await watch()
  const answer = await meanwhile(async () => {
    await heard('Unenrol') // ends what was there before
    await change('Enrol')
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test('[WATCH-7] who watches already, subscribes again, and is put back just before the look, is in', async () => {
  await watch()
  const left = await change('Unenrol')
  await change('Enrol')
  const answer = await meanwhile(() => watching.onEvent(left)) // late
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test(
  '[WATCH-7] an old withdrawal that is heard late takes nobody out who was put back before they ' + 'subscribed',
  async () => {
    const left = await change('Unenrol')
    await change('Enrol')
    expect((await watch()).answer).toMatchObject({ kind: 'done' })
    watching.onEvent(left)
    expect(isIn()).toBe(true)
    for (const event of [
      { ...left.event, type: 'TeacherWithdrawn', teacherId: 'ann' },
      { ...left.event, studentId: 'bob' },
    ])
      watching.onEvent({ ...left, revision: 99, event })
    watching.onEvent({ ...left, revision: 99, stream: 'course-d' })
    expect(isIn()).toBe(true)
    await heard('Unenrol')
    expect(isIn()).toBe(false)
    expect(client.heard.map(({ name }) => name)).toEqual(['activeSessionsData', 'activeSessionsError'])
  },
)
test('[WATCH-6] who is gone before the answer leaves nothing behind', async () => {
  expect(await meanwhile(() => client.close())).toMatchObject({ kind: 'done' })
  expect(client.rooms.size).toBe(0)
})
test('[WATCH-6] who closes the connection is out, also while calls of it wait', async () => {
  let closed = false
  client = fakeConnection(ann, { isOpen: () => !closed }) // its end waits behind other calls
  const answer = await meanwhile(() => {
    closed = true
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(client.rooms.size).toBe(0)
})
test('[RESUME-8] who comes in is kept from then on, who is gone before they are in changes nothing of it', async () => {
  const topics = async () => (await entities.state('client', 'eve')).state.context.topics
  client = fakeConnection(ann, { client: 'eve' })
  await watch()
  const kept = await topics()
  expect(kept).toEqual([expect.objectContaining({ subject: 'c', from: expect.stringMatching(/^\d+$/) })])
  await heard('Unenrol')
  await heard('Enrol')
  // Taken out, and let in again: until they come in again it is kept as it was, also where they nearly did.
  expect(await meanwhile(() => client.close())).toMatchObject({ kind: 'done' })
  client = fakeConnection(ann, { client: 'eve', isOpen: () => false })
  await watch()
  expect(await topics()).toEqual(kept)
  client = fakeConnection(ann, { client: 'eve' })
  await watch()
  const [again] = await topics()
  expect(BigInt(again?.from ?? 0)).toBeGreaterThan(BigInt(kept[0]?.from ?? 0))
  await watching.unsubscribe('c', client)
  expect(await topics()).toEqual([])
})
test('[WATCH-6] a look that fails ends no subscription that was there before, and begins none', async () => {
  const broken = () => meanwhile(() => Promise.resolve()).catch((error: Error) => error.message)
  await watch()
  const look = entities.judged
  entities.judged = () => Promise.reject(new Error('away'))
  expect(await watch().catch((error: Error) => error.message)).toBe('away')
  expect(isIn()).toBe(true)
  await watching.unsubscribe('c', client)
  expect(await watch().catch((error: Error) => error.message)).toBe('away')
  entities.judged = look
  expect(isIn()).toBe(false)
  expect(await broken()).toMatchObject({ kind: 'done' })
})

test.each(['subscribeToCourse', 'checkActiveSessions', 'unsubscribeFromCourse'])(
  '[ORDER-4] %s holds up nothing that the connection asks after it',
  async (name) => {
    const held = Promise.withResolvers<void>()
    holdBack = held.promise
    let entered = 0
    const call = attendanceInbound(watching).rows[name]?.([{ course_id: 'c' }], client, 0)
    if (typeof call !== 'function') throw new Error(`${name} was refused`)
    const answer = call(() => void entered++)
    expect(entered).toBe(1)
    held.resolve()
    expect((await answer).answer).toMatchObject({ kind: 'done' })
  },
)
