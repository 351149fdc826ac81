import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { type AttendanceCalls, attendanceCalls } from '../../src/contracts/attendance/calls.ts'
import { type CourseWatchers, courseWatchers } from '../../src/contracts/attendance/course-watchers.ts'
import { attendanceDelivery } from '../../src/contracts/attendance/delivery.ts'
import { AttendanceDesk } from '../../src/contracts/attendance/desk.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { type Client, connect } from '../support/client.ts'
import { manualClock } from '../support/clock.ts'
import { eventually } from '../support/lessons.ts'

const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const ann: Party = { id: 'ann', org, role: 'student' }
const clock = manualClock()

let io: Server
let entities: Entities
let calls: AttendanceCalls
let watchers: CourseWatchers
let client: Client
let socket: string
/** Set: the next look into a course's room is taken, and its answer kept back until this resolves. */
let holdBack: Promise<void> | undefined
let looks: number

beforeEach(async () => {
  const http = createServer()
  io = new Server(http)
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  client = await connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {})
  socket = client.socket.id ?? ''
  const log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: clock.now, idleMs: 60_000 })
  const desk = new AttendanceDesk(log)
  watchers = courseWatchers(io, () => {})
  const attendance = attendanceDelivery({ desk, outlet: { push() {} }, watchers, clock })
  holdBack = undefined
  looks = 0
  const state: Entities['state'] = async (category, id) => {
    looks++
    const seen = await entities.state(category, id)
    const held = holdBack
    holdBack = undefined
    await held
    return seen
  }
  const follower = { position: () => entities.lastPosition(), until: () => Promise.resolve(true) }
  calls = attendanceCalls({
    io,
    log,
    entities: { state, lastPosition: entities.lastPosition },
    attendance,
    watchers,
    follower,
  })
  await entities.ask('course', 'c', { type: 'CreateCourse', title: 'T', teacherIds: [], by: tea, at: 0 })
  await change('Enrol')
})
afterEach(async () => {
  client.close()
  await io.close()
  await entities.stop()
})

const watch = () => calls.ask({ kind: 'watch-course', courseId: 'c' }, ann, socket, () => {})
const isIn = (): boolean => io.of('/').adapter.rooms.get('course c')?.has(socket) ?? false
/** Records it, and tells the revision. */
async function change(type: 'Enrol' | 'Unenrol'): Promise<number> {
  const answer = await entities.ask('course', 'c', { type, studentId: 'ann', by: tea, at: 0 })
  if (answer instanceof Refusal) throw new Error(answer.code)
  return answer.seq
}
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
  const answer = await meanwhile(async () => watchers.withdraw('c', 'student', 'ann', await change('Unenrol')))
  expect(answer).toMatchObject({ kind: 'refusal', code: 'not-in-course' })
  expect(looks).toBe(2)
  expect(isIn()).toBe(false)
  expect(client.heard).toEqual([])
})
test('[WATCH-7] who is taken out and put back between the look and the answer is in', async () => {
  const answer = await meanwhile(async () => {
    watchers.withdraw('c', 'student', 'ann', await change('Unenrol'))
    await change('Enrol')
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test('[WATCH-7] who watches already, subscribes again, and is taken out and put back meanwhile, is in', async () => {
  await watch()
  const answer = await meanwhile(async () => {
    watchers.withdraw('c', 'student', 'ann', await change('Unenrol')) // ends what was there before
    await change('Enrol')
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test('[WATCH-7] who watches already, subscribes again, and is put back just before the look, is in', async () => {
  await watch()
  const left = await change('Unenrol')
  await change('Enrol')
  const answer = await meanwhile(() => {
    watchers.end('c', socket) // as a withdrawal that is heard late does
    watchers.withdraw('c', 'student', 'ann', left)
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(isIn()).toBe(true)
})
test('[WATCH-7] an old withdrawal that is heard late takes nobody out who was put back before they subscribed', async () => {
  const left = await change('Unenrol')
  await change('Enrol')
  expect((await watch()).answer).toMatchObject({ kind: 'done' })
  watchers.withdraw('c', 'student', 'ann', left)
  expect(isIn()).toBe(true)
  watchers.withdraw('c', 'teacher', 'ann', 99)
  watchers.withdraw('c', 'student', 'bob', 99)
  expect(isIn()).toBe(true)
  watchers.withdraw('c', 'student', 'ann', await change('Unenrol'))
  expect(isIn()).toBe(false)
})
test('[WATCH-6] who is gone before the answer leaves nothing behind', async () => {
  const left = new Promise((gone) => io.of('/').sockets.get(socket)?.once('disconnect', gone))
  const answer = await meanwhile(async () => {
    client.close()
    await left
  })
  expect(answer).toMatchObject({ kind: 'done' })
  expect(io.of('/').adapter.rooms.size).toBe(0)
})
test('[WATCH-6] a look that fails ends no subscription that was there before, and begins none', async () => {
  const broken = () => meanwhile(() => Promise.resolve()).catch((error: Error) => error.message)
  await watch()
  const look = entities.state
  entities.state = () => Promise.reject(new Error('away'))
  expect(await watch().catch((error: Error) => error.message)).toBe('away')
  expect(isIn()).toBe(true)
  await calls.ask({ kind: 'unwatch-course', courseId: 'c' }, ann, socket, () => {})
  expect(await watch().catch((error: Error) => error.message)).toBe('away')
  entities.state = look
  expect(isIn()).toBe(false)
  expect(await broken()).toMatchObject({ kind: 'done' })
})

test.each(['watch-course', 'check-course', 'unwatch-course'] as const)(
  '[ORDER-4] %s holds up nothing that the connection asks after it',
  async (kind) => {
    const held = Promise.withResolvers<void>()
    holdBack = held.promise
    let entered = 0
    const answer = calls.ask({ kind, courseId: 'c' }, ann, socket, () => void entered++)
    expect(entered).toBe(1)
    held.resolve()
    await answer
  },
)
