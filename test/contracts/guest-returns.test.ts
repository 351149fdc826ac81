import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { call, eventually, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let tea: string
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '30000' } })
  tea = await tokenFor('teacher', 'tea')
})
afterAll(async () => void (await server.stop()))

/** A client of the document: it knows no token, and comes back by itself with the handshake that it had. */
async function guestIn(lesson: { id: string; code: string }, name: string): Promise<Client> {
  const query = { role: 'student', lesson_id: lesson.id, device: 'web' }
  const guest = await connect(server.url, { query, reconnection: true, reconnectionDelay: 10 })
  onTestFinished(() => guest.close())
  await guest.told('participant_id')
  expect((await guest.ask('join_lesson', { code: lesson.code, name }))[0]).toBe(true)
  return guest
}
const back = (client: Client): Promise<void> => new Promise((connected) => client.socket.once('connect', connected))
const drop = async (...clients: Client[]): Promise<void> => {
  const returns = clients.map(back)
  for (const { socket } of clients) socket.io.engine.close()
  await Promise.all(returns)
}
const ids = (client: Client): string[] => client.all('participant_id').map(({ participant_id: id }) => id)
const people = async (id: string) => (await call(server.url, tea, 'GET', `/lessons/${id}/participants`)).body.data

test('[PRES-29] a participant without a token whose connection was lost goes on as the same person', async () => {
  const lesson = await lessonOf(server.url, tea)
  const bob = await guestIn(lesson, 'Bob')
  await drop(bob)
  await eventually(
    async () => ids(bob),
    (told) => told.length === 2,
  )
  expect(new Set(ids(bob)).size).toBe(1)
  expect((await bob.ask('join_lesson', { code: lesson.code, name: 'Bob' }))[0], 'changes nothing').toBe(true)
  await eventually(
    () => people(lesson.id),
    ([one]) => one.reconnects === 1,
  )
  expect(await people(lesson.id)).toMatchObject([{ name: 'Bob', joins: 1, leaves: 0, present: true }])
})

test('[PRES-30] of two who were lost alike nobody is taken for the other: both are new', async () => {
  const lesson = await lessonOf(server.url, tea)
  const [bob, cas] = [await guestIn(lesson, 'Bob'), await guestIn(lesson, 'Cas')]
  const were = [...ids(bob), ...ids(cas)]
  await drop(bob, cas)
  await eventually(
    async () => [...ids(bob), ...ids(cas)],
    (told) => told.length === 4,
  )
  expect(new Set([...ids(bob), ...ids(cas)]).size).toBe(4)
  expect(were).toHaveLength(2)
})

test('[PRES-30] nor is somebody who left of their own will', async () => {
  const lesson = await lessonOf(server.url, tea)
  const bob = await guestIn(lesson, 'Bob')
  bob.close()
  await eventually(
    () => people(lesson.id),
    ([one]) => !one.present,
  )
  const next = await guestIn(lesson, 'Dan')
  expect(ids(next)).not.toEqual(ids(bob))
})
