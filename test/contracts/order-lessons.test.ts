import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { anonymous, call, type Entrance, enter, eventually, type Lesson, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { codes, type Frame, volley } from '../support/volley.ts'

/** For each of nine ways to join and leave, there are fewer of them. */
const rounds = Array.from({ length: 8 }, (_, nth) => nth)

let server: TestServer
let tea: string
let lesson: Lesson
let other: Lesson
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '0' } })
  tea = await tokenFor('teacher', 'tea')
  lesson = await lessonOf(server.url, tea)
  other = await lessonOf(server.url, tea)
})
afterAll(async () => void (await server.stop()))

let students = 0
/** Another one each time: whoever joins too often has to wait. */
async function student(how?: Entrance): Promise<Client & { readonly id: string }> {
  const id = `sam-${++students}`
  const client = await enter(server, 'student', id, how)
  onTestFinished(client.close)
  return { ...client, id }
}
const person = async ({ id }: Lesson, who: string) => {
  const { body } = await call(server.url, tea, 'GET', `/lessons/${id}/participants`)
  return body.data.find((one: { id: string }) => one.id === who)
}
/** They were in it, and are not any more. */
const wasThere = expect.objectContaining({ present: false, joins: 1, leaves: 1 })

const join: [string, () => Frame][] = [
  ['by its id', () => ['join_lesson', { lesson_id: lesson.id }]],
  ['by its code', () => ['join_lesson', { code: lesson.code }]],
  ['by its code, named', () => ['join_lesson', { code: lesson.code, client_id: 'join' }]],
]
const leave: [string, () => Frame][] = [
  ['that names it', () => ['leave_lesson', { lesson_id: lesson.id }]],
  ['that names none', () => ['leave_lesson']],
  ['that names none, itself named', () => ['leave_lesson', { client_id: 'leave' }]],
]

test.each(join.flatMap(([how, joining]) => leave.map(([way, leaving]) => [how, way, joining, leaving] as const)))(
  '[ORDER-1] a joining %s and at once a leaving %s: nobody stays in',
  async (_, __, joining, leaving) => {
    for (const nth of rounds) {
      const sam = await student({ transports: [nth % 3 ? 'websocket' : 'polling'] })
      expect(codes(await volley(sam, [joining(), leaving()], nth))).toEqual(['ok', 'ok'])
      expect(await person(lesson, sam.id)).toEqual(wasThere)
      sam.close()
    }
  },
)

test(
  '[ORDER-1] a leaving that names no lesson means the one of the joining before it, from lesson to ' + 'lesson',
  async () => {
    for (const nth of rounds) {
      const sam = await student()
      const go = ({ id }: Lesson): Frame => ['join_lesson', { lesson_id: id }]
      const away: Frame = ['leave_lesson']
      const acks = await volley(sam, [go(lesson), away, away, go(other), away], nth)
      expect(codes(acks)).toEqual(['ok', 'ok', 'not-in-lesson', 'ok', 'ok'])
      expect(await Promise.all([person(lesson, sam.id), person(other, sam.id)])).toEqual([wasThere, wasThere])
      sam.close()
    }
  },
)

test('[ORDER-1] a guest who joins by code, leaves and joins again in one go is in', async () => {
  for (const nth of rounds) {
    const guest = await anonymous(server)
    onTestFinished(guest.close)
    const { participant_id } = await guest.told('participant_id')
    const go: Frame = ['join_lesson', { code: lesson.code, name: 'Gus' }]
    expect(codes(await volley(guest, [go, ['leave_lesson'], go], nth))).toEqual(['ok', 'ok', 'ok'])
    expect(await person(lesson, participant_id)).toMatchObject({ present: true, joins: 2, leaves: 1 })
    guest.close()
  }
})

test('[ORDER-2] the lesson that a handshake names is joined before the first frame is heard', async () => {
  for (const nth of rounds) {
    const sam = await student({ query: { lesson_id: lesson.id }, transports: [nth % 3 ? 'websocket' : 'polling'] })
    expect(codes(await volley(sam, [['leave_lesson']], nth))).toEqual(['ok'])
    expect(await person(lesson, sam.id)).toEqual(wasThere)
    sam.close()
  }
})

test.each<[string, (client: Client) => void]>([
  ['closes its connection', ({ socket }) => void socket.disconnect()],
  ['loses it', ({ socket }) => void socket.io.engine.close()],
])('[ORDER-2] who joins and leaves and at once %s has left by themself', async (_, end) => {
  for (const nth of rounds) {
    const sam = await student({ transports: [nth % 3 ? 'websocket' : 'polling'] })
    const stay = await student()
    sam.socket.emit('join_lesson', { code: lesson.code })
    sam.socket.emit('leave_lesson')
    end(sam)
    const left = await eventually(
      () => person(lesson, sam.id),
      (seen) => seen?.present === false,
    )
    expect(left.intervals).toMatchObject([{ reason: 'left' }])
    expect(left).toEqual(wasThere)
    stay.close()
  }
})

test('[ORDER-2] who joins and at once closes the connection was there, and is not any more', async () => {
  for (const nth of rounds) {
    const sam = await student({ transports: [nth % 3 ? 'websocket' : 'polling'] })
    sam.socket.emit('join_lesson', { code: lesson.code })
    sam.socket.disconnect()
    expect(
      await eventually(
        () => person(lesson, sam.id),
        (seen) => seen?.present === false,
      ),
    ).toEqual(wasThere)
  }
})
