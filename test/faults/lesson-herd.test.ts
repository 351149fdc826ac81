import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { call, enter, eventually, lessonOf } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

const COUNT = 1_000
let server: TestServer
let teacher: Client
let herd: ChildProcess

beforeAll(async () => {
  server = await startServer()
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

test('[LESSON-42] a thousand come at once, drop at once and return: one interval each, and ten pushes a second at most', async () => {
  const before = cpuMs()
  const tea = await tokenFor('teacher', 'tea')
  const { id } = await lessonOf(server.url, tea)
  await teacher.ask('join_lesson', { lesson_id: id })
  const times: number[] = []
  teacher.socket.onAny((name: string) => name.startsWith('participant_') && times.push(performance.now()))

  const lines = createInterface({ input: herd.stdout ?? process.stdin })
  const answers: { done?: string; ms?: number }[] = []
  lines.on('line', (line) => answers.push(JSON.parse(line)))
  const told = async (command: string): Promise<number> => {
    herd.stdin?.write(`${command}\n`)
    const what = command.split(' ')[0]
    const { ms = 0 } = (await eventually(
      () => answers.find(({ done }) => done === what),
      (answer) => answer !== undefined,
      20_000,
    )) as { ms?: number }
    return ms
  }

  const joinedMs = await told(`join ${COUNT} ${id}`)
  const joiningCpuMs = cpuMs()
  await told('drop')
  await eventually(
    async () =>
      (await call(server.url, tea, 'GET', '/presence?limit=200')).body.data.filter(
        (one: { state: string }) => one.state === 'lost',
      ).length,
    (lost) => lost > 0,
  )
  const returnedMs = await told('return')

  const people = await eventually(
    async () => (await call(server.url, tea, 'GET', `/lessons/${id}/participants`)).body.data,
    (all) =>
      all.length === COUNT + 1 &&
      all.every((one: { id: string; reconnects: number }) => one.id === 'tea' || one.reconnects === 1),
    15_000,
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
  process.stdout.write(
    `herd: joined in ${joinedMs} ms (server CPU ${joiningCpuMs - before} ms), returned in ${returnedMs} ms; ` +
      `${times.length} pushes to the teacher, at most ${inOneSecond} a second\n`,
  )
  expect(inOneSecond).toBeLessThanOrEqual(10)
  // Processor time and not the clock, which tells how busy the machine is otherwise.
  expect(joiningCpuMs - before).toBeLessThan(5_000)
}, 60_000)

/** What the server has used so far, in steps of 10 ms (Linux). */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
