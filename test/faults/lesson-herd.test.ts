import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { call, enter, eventually, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { slowly } from '../support/slowness.ts'

const COUNT = sized(200, 1_000)
let server: TestServer
let teacher: Client
let herd: ChildProcess

beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: String(slowly(15_000)) } })
  teacher = await enter(server, 'teacher', 'tea')
  herd = spawn(process.execPath, [join(import.meta.dirname, 'herd-clients.ts'), server.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
})
afterAll(async () => {
  herd.kill()
  teacher.close()
  await server.stop()
})

test(`[LESSON-42] ${COUNT} come, drop and return at once: one interval each, ten pushes a second at most`, async () => {
  const tea = await tokenFor('teacher', 'tea')
  const { id } = await lessonOf(server.url, tea)
  await teacher.ask('join_lesson', { lesson_id: id })
  const times: number[] = []
  teacher.socket.onAny((name: string) => name.startsWith('participant_') && times.push(performance.now()))

  const lines = createInterface({ input: herd.stdout ?? process.stdin })
  const answers: { done?: string }[] = []
  lines.on('line', (line) => answers.push(JSON.parse(line)))
  const told = async (command: string): Promise<void> => {
    herd.stdin?.write(`${command}\n`)
    const what = command.split(' ')[0]
    await eventually(
      () => answers.some(({ done }) => done === what),
      (answered) => answered,
    )
  }

  await told(`join ${COUNT} ${id}`)
  await told('drop')
  await eventually(
    async () =>
      (await call(server.url, tea, 'GET', '/presence?limit=200')).body.data.filter(
        (one: { state: string }) => one.state === 'lost',
      ).length,
    (lost) => lost > 0,
  )
  await told('return')

  const people = await eventually(
    async () => (await call(server.url, tea, 'GET', `/lessons/${id}/participants`)).body.data,
    (all) =>
      all.length === COUNT + 1 &&
      all.every((one: { id: string; reconnects: number }) => one.id === 'tea' || one.reconnects === 1),
  )
  for (const one of people) {
    expect(one).toMatchObject({
      joins: 1,
      leaves: 0,
      reconnects: one.id === 'tea' ? 0 : 1,
      intervals: [{ to: null, reason: null }],
    })
  }
  const heard = (name: string) =>
    teacher
      .all(name)
      .flatMap(({ participants }) => participants.map((one: { participant_id: string }) => one.participant_id))
  await eventually(
    () => heard('participant_reconnected').length,
    (count) => count === COUNT,
  )
  expect(new Set(heard('participant_joined')).size).toBe(COUNT + 1)
  expect(new Set(heard('participant_reconnected')).size).toBe(COUNT)
  expect(teacher.all('participant_left')).toEqual([])
  const inOneSecond = Math.max(...times.map((at, n) => times.slice(n).filter((later) => later < at + 1_000).length))
  // Pushes that a busy machine holds up arrive together: that rule in full is proved in test/delivery.
  expect(inOneSecond).toBeLessThanOrEqual(slowly(10))
})
