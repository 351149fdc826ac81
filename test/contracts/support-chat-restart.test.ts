import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { type Company, company } from './company.ts'

const GRACE_MS = slowly(2_500)
const env = { DISCONNECT_GRACE_MS: String(GRACE_MS) }

describe.each(['SIGKILL', 'SIGTERM'] as const)('after %s and a start on the same data', (signal) => {
  let data: string
  let server: TestServer
  let acme: Company
  let started: number
  const rooms: Record<string, string> = {}

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'lyceum-restart-'))
    server = await startServer({ data, env })
    const before = company(server)
    const [ann, bob] = await Promise.all([before.join('agent', 'ann'), before.join('agent', 'bob')])
    for (const id of ['vera', 'vic', 'queued', 'lost', 'bobs']) {
      const { room } = await before.chat(id, ann)
      rooms[id] = room
    }
    for (const id of ['vera', 'vic']) await ann.ask('staff_join', { room: rooms[id] })
    await bob.ask('staff_join', { room: rooms.bobs })
    await ann.ask('change_chat_priority', { room: rooms.queued, severity_level: 5 })
    server.kill(signal)
    expect(await server.ended).toBe(signal === 'SIGKILL' ? signal : 0)
    before.close()
    started = Date.now()
    server = await startServer({ data, env })
    acme = company(server, 'websocket', before.org)
  })
  afterAll(async () => {
    acme.close()
    await server.stop()
    await rm(data, { recursive: true, force: true })
  })

  test('[GRACE-8] those who come back in time go on, those who do not are gone when the grace is over', async () => {
    const ann = await acme.join('agent', 'ann')
    const [vera, queued, bobs] = await Promise.all(['vera', 'queued', 'bobs'].map((id) => acme.join('visitor', id)))
    const init = await ann.told('staff_init')
    const ids = (list: { user: { id: string } }[]) => list.map(({ user }) => user.id).sort()
    expect(ids(init.unclaimed_chats)).toEqual(['lost', 'queued'])
    expect(ids(init.flagged_chats)).toEqual(['queued'])

    expect(await vera?.ask('visitor_msg', { text: 'back' })).toEqual([true, null])
    expect(await ann.told('visitor_send')).toMatchObject({ room: rooms.vera, seq: 2 })
    expect(await ann.ask('staff_msg', { room: rooms.vera, content: { text: 'me too' } })).toEqual([true, null])
    await vera?.told('staff_send')

    expect(await ann.told('visitor_leave')).toMatchObject({ room: rooms.vic, user: { id: 'vic' } })
    expect(await ann.told('visitor_leave_queue')).toMatchObject({ room: rooms.lost, user: { id: 'lost' } })
    expect(await bobs?.told('staff_leave')).toMatchObject({ room: rooms.bobs, user: { id: 'bob' } })
    expect(Date.now() - started).toBeGreaterThanOrEqual(GRACE_MS)
    await ann.told('staff_goes_offline', ({ user }) => user.id === 'bob')

    await acme.fence(ann)
    expect(ann.all('visitor_leave')).toHaveLength(1)
    expect(ann.all('visitor_leave_queue')).toHaveLength(1)
    expect(await queued?.ask('visitor_msg', { text: 'still in the queue' })).toEqual([true, null])
    expect(await vera?.ask('visitor_msg', { text: 'still served' })).toEqual([true, null])
  })
})

test('[LOG-1] what was acknowledged is there after the server was killed, in its order, without a gap', async () => {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-durable-'))
  let server = await startServer({ data })
  const before = company(server)
  const ann = await before.join('agent', 'ann')
  const { visitor, room } = await before.chat('vera', ann, { n: 0 })
  const acknowledged: number[] = []
  for (let n = 1; n <= 200; n++)
    visitor.socket.emit('visitor_msg', { n }, (result: boolean) => result && acknowledged.push(n))
  await vi.waitUntil(() => acknowledged.length >= 20, { interval: 0, timeout: PATIENCE_MS })
  server.kill('SIGKILL')
  await server.ended
  before.close()
  server = await startServer({ data })
  const events = await company(server, 'websocket', before.org).events(room)
  const told = events.map((event) => event.data.content?.n as number)
  expect(told.slice(0, acknowledged.length + 1)).toEqual([0, ...acknowledged])
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i))
  await server.stop()
  await rm(data, { recursive: true, force: true })
})
