import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type School, school, TEA } from '../support/attendance.ts'
import type { Client } from '../support/client.ts'
import { eventually } from '../support/lessons.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000' } })
})
afterAll(() => server.stop())

const STUDENTS = ['s0', 's1', 's2', 's3']
const STATUSES = ['present', 'absent', 'late', 'excused']

const action = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('check-in' as const), session: fc.nat(), who: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('mark' as const), session: fc.nat(), who: fc.nat(3), status: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), session: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('watch' as const), who: fc.nat(3), polling: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('again' as const, 'drop' as const), nth: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(400) }) },
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

/** Does these things as they come, several at once. Gives those who watch in the end. */
async function play(it: School, todo: readonly Action[]): Promise<readonly Client[]> {
  const sessions: string[] = [(await it.start()).id]
  const watching: Client[] = []
  const under: Promise<unknown>[] = []
  const session = (nth: number): string => sessions[nth % sessions.length] ?? ''
  for (const one of todo) {
    switch (one.kind) {
      case 'start':
        under.push(it.start().then(({ id }) => sessions.push(id)))
        break
      case 'check-in':
        // it may have ended
        under.push(it.checkIn(session(one.session), STUDENTS[one.who] ?? '').catch(() => undefined))
        break
      case 'mark':
        under.push(it.mark(session(one.session), STUDENTS[one.who] ?? '', STATUSES[one.status] ?? ''))
        break
      case 'end':
        under.push(it.end(session(one.session)))
        break
      case 'watch': {
        const client = await it.come(['student', STUDENTS[one.who] ?? ''], {
          transports: [one.polling ? 'polling' : 'websocket'],
        })
        client.socket.emit('subscribeToCourse', { course_id: it.course })
        watching.push(client)
        break
      }
      case 'again':
        watching[one.nth % Math.max(1, watching.length)]?.socket.emit('subscribeToCourse', { course_id: it.course })
        break
      case 'drop':
        watching.splice(one.nth % Math.max(1, watching.length), 1)[0]?.socket.io.engine.close()
        break
      case 'pause':
        await new Promise((resolve) => setTimeout(resolve, one.ms))
        break
    }
    if (under.length % 5 === 4) await Promise.race([Promise.all(under), new Promise(setImmediate)])
  }
  await Promise.all(under)
  return watching
}

/** What a client holds who keeps the latest list, and what one holds who adds and removes besides. */
function holds({ heard }: Client): readonly [unknown, readonly string[]] {
  let latest: unknown
  let ids: string[] = []
  for (const { name, data } of heard) {
    if (name === 'activeSessionsData') {
      latest = data.activeSessions
      ids = data.activeSessions.map(({ sessionId }: { sessionId: string }) => sessionId)
    } else if (name === 'courseSessionStarted') ids = [...ids.filter((id) => id !== data.session_id), data.session_id]
    else if (name === 'courseSessionEnded') ids = ids.filter((id) => id !== data.session_id)
  }
  return [latest, ids]
}

test(
  '[WATCH-11] what real clients hold, whenever they came and however they connect, is what a fresh ' + 'one is told',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 60, size: 'max' }), async (todo) => {
        const it = await school(server)
        await it.enrol(...STUDENTS)
        const watching = await play(it, todo)
        const fresh = await it.come(TEA)
        await fresh.ask('subscribeToCourse', { course_id: it.course })
        const [{ activeSessions }] = fresh.all('activeSessionsData')
        const ids = activeSessions.map(({ sessionId }: { sessionId: string }) => sessionId)
        for (const client of watching) {
          const expected = JSON.stringify([activeSessions, ids])
          await eventually(
            () => JSON.stringify(holds(client)),
            (seen) => seen === expected,
          )
          // Starts and ends may have waited their turn (WATCH-10); what shows how it stands never goes back.
          const positions = client.all('activeSessionsData').map(({ pos }) => BigInt(pos))
          expect(positions.every((pos, n) => n === 0 || pos >= (positions[n - 1] ?? 0n))).toBe(true)
        }
        it.close()
      }),
      { numRuns: sized(5, 10), endOnFailure: true },
    )
  },
)
