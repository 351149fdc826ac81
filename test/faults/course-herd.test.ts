import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Campus, campus } from '../support/campus.ts'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'

let server: TestServer
let it: Campus
const VIEWERS = sized(150, 1_000)
const ids = Array.from({ length: VIEWERS }, (_, n) => `s${n}`)

beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_ADDRESS: '100000' } })
  it = await campus(server, { students: [] })
  for (let n = 0; n < VIEWERS; n += 50) await Promise.all(ids.slice(n, n + 50).map((id) => it.enrol(id)))
})
afterAll(async () => {
  it.close()
  await server.stop()
})

test('[COURSE-27] [COURSE-47] a class that comes at once is in, and each is told of all others', async () => {
  const first = await it.come('teacher', 'tea')
  expect(await first.ask('join_video', { video_id: it.video })).toEqual([true, null])
  const clients: Client[] = []
  for (let n = 0; n < VIEWERS; n += 50)
    clients.push(...(await Promise.all(ids.slice(n, n + 50).map((id) => it.come('student', id)))))
  const answers = await Promise.all(clients.map((client) => client.ask('join_video', { video_id: it.video })))
  expect(answers.every(([ok]) => ok === true)).toBe(true)
  await Promise.all(clients.map((client) => client.told('joined_video')))
  const named = (client: Client): string[] => client.all('user_joined_video').map(({ user_id }) => user_id)
  await expect.poll(() => named(first).length, { timeout: 60_000 }).toBe(VIEWERS)
  expect(new Set(named(first))).toEqual(new Set(ids)) // each once
  for (const [n, client] of clients.entries()) expect(named(client)).not.toContain(ids[n])
})
