import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { lastingPort } from '../faults/command-line.ts'
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
async function guestIn(
  lesson: { id: string; code: string },
  name: string,
  { url = server.url, device = 'web', reconnectionDelay = 10 } = {},
): Promise<Client> {
  const query = { role: 'student', lesson_id: lesson.id, device }
  const guest = await connect(url, { query, reconnection: true, reconnectionDelay, randomizationFactor: 0 })
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
const people = async (id: string, url = server.url) =>
  (await call(url, tea, 'GET', `/lessons/${id}/participants`)).body.data

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

test('[PRES-29] of two tabs the one that drops is the one that comes back', async () => {
  const lesson = await lessonOf(server.url, tea)
  const [one, other] = [await guestIn(lesson, 'One'), await guestIn(lesson, 'Other')]
  await drop(one)
  await eventually(
    () => ids(one),
    (told) => told.length === 2,
  )
  expect(new Set(ids(one)).size).toBe(1)
  expect(ids(other)).toHaveLength(1)
  expect(ids(other)).not.toEqual([ids(one)[0]])
  await eventually(
    () => people(lesson.id),
    (all) => all.filter(({ present }: { present: boolean }) => present).length === 2,
  )
  expect((await people(lesson.id)).map(({ name, reconnects }: never) => ({ name, reconnects }))).toEqual(
    expect.arrayContaining([
      { name: 'One', reconnects: 1 },
      { name: 'Other', reconnects: 0 },
    ]),
  )
})

test('[PRES-31] a place that is taken is nobody else’s, whatever they copy or guess', async () => {
  const lesson = await lessonOf(server.url, tea)
  const bob = await guestIn(lesson, 'Bob')
  const { participant_id: id } = bob.all('participant_id')[0]
  const copy = await guestIn(lesson, 'Copy')
  expect(ids(copy)).not.toEqual([id])
  const query = { role: 'student', lesson_id: lesson.id, device: 'web' }
  for (const token of [id, `participant.${id}`, 'participant.'])
    await expect(connect(server.url, { query, auth: { token } })).rejects.toMatchObject({ data: { code: 401 } })
  const madeUp = await connect(server.url, { query, auth: { token: `participant.${'A'.repeat(43)}` } })
  onTestFinished(() => madeUp.close())
  expect((await madeUp.told('participant_id')).participant_id).not.toBe(id)
  expect((await people(lesson.id)).map(({ name }: { name: string }) => name).sort()).toEqual(['Bob', 'Copy'])
})

test('[PRES-31] whoever is lost is not found by another program, another query or another lesson', async () => {
  const [lesson, elsewhere] = [await lessonOf(server.url, tea), await lessonOf(server.url, tea)]
  const bob = await guestIn(lesson, 'Bob', { reconnectionDelay: 60_000 })
  bob.socket.io.engine.close()
  const query = { role: 'student', lesson_id: lesson.id, device: 'web' }
  for (const other of [
    { query: { ...query, device: 'tablet' } },
    { query: { ...query, lesson_id: elsewhere.id } },
    { query: { role: 'student' } },
    { query, extraHeaders: { 'User-Agent': 'another' } },
  ]) {
    const stranger = await connect(server.url, other)
    onTestFinished(() => stranger.close())
    expect((await stranger.told('participant_id')).participant_id).not.toBe(ids(bob)[0])
  }
  const same = await connect(server.url, { query })
  onTestFinished(() => same.close())
  expect((await same.told('participant_id')).participant_id, 'he was to be found all the time').toBe(ids(bob)[0])
})

test('[PRES-30] after the grace whoever comes is new, and the one before has left', async () => {
  const short = await startServer({ env: { DISCONNECT_GRACE_MS: '300' } })
  onTestFinished(async () => void (await short.stop()))
  const { url } = short
  const lesson = await lessonOf(url, tea)
  const bob = await guestIn(lesson, 'Bob', { url, reconnectionDelay: 1_200 })
  await drop(bob)
  await eventually(
    () => ids(bob),
    (told) => told.length === 2,
  )
  expect(new Set(ids(bob)).size).toBe(2)
  expect(await people(lesson.id, url)).toMatchObject([{ name: 'Bob', present: false, leaves: 1, reconnects: 0 }])
  expect((await bob.ask('join_lesson', { code: lesson.code, name: 'Bob' }))[0]).toBe(true)
  expect(await people(lesson.id, url)).toHaveLength(2)
})

test.each(['SIGKILL', 'SIGTERM'] as const)('[PRES-32] after %s of the server they go on, too', async (signal) => {
  const data = mkdtempSync(join(tmpdir(), 'lyceum-guests-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  const env = { DISCONNECT_GRACE_MS: '30000', PORT: String(await lastingPort()) }
  const first = await startServer({ data, env })
  const { url } = first
  const lesson = await lessonOf(url, tea)
  const [bob, cas] = [await guestIn(lesson, 'Bob', { url }), await guestIn(lesson, 'Cas', { url, device: 'tablet' })]
  const gone = await guestIn(lesson, 'Gone', { url, device: 'phone' })
  gone.close()
  await eventually(
    () => people(lesson.id, url),
    (all) => all.filter(({ present }: { present: boolean }) => present).length === 2,
  )
  first.kill(signal)
  await first.ended
  const second = await startServer({ data, env })
  onTestFinished(async () => void (await second.stop()))
  await eventually(
    () => [ids(bob), ids(cas)],
    (told) => told.every(({ length }) => length === 2),
  )
  for (const guest of [bob, cas]) expect(new Set(ids(guest)).size).toBe(1)
  await eventually(
    () => people(lesson.id, url),
    (all) => all.filter(({ reconnects }: { reconnects: number }) => reconnects === 1).length === 2,
  )
  expect(ids(await guestIn(lesson, 'Next', { url, device: 'phone' }))).not.toEqual(ids(gone))
  expect(await people(lesson.id, url)).toHaveLength(4)
})
