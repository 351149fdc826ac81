import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { childEnv } from '../support/child-env.ts'
import { type Client, connect } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { SECRET, startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

/** Time that passes within the chat, so that there is a pace to keep. */
const PAUSE_MS = 400
let data: string
let server: TestServer
let acme: Company
let room: string
let sue: Client
const lived: Client[] = []

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-replay-'))
  server = await startServer({ data })
  acme = company(server)
  const ann = await acme.join('agent', 'ann')
  sue = await acme.join('supervisor', 'sue')
  const { visitor, ...chat } = await acme.chat('vera', ann, { text: 'one' })
  room = chat.room
  await ann.ask('staff_join', { room })
  const { at } = (await acme.events(room)).at(-1)
  await vi.waitUntil(() => Date.now() - at > PAUSE_MS, { interval: 10, timeout: PATIENCE_MS })
  await visitor.ask('visitor_msg', { text: 'two' })
  await ann.ask('staff_msg', { room, content: { text: 'three' } })
  await visitor.ask('visitor_leave_room')
  await acme.fence(ann, sue)
  lived.push(ann, sue, visitor)
})
afterAll(async () => {
  acme.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const replayed = (client: Client) => client.all('replay_event')

describe('replay_chat', () => {
  test('[REPLAY-1] sends every notice of the chat again, in order, and says when it has ended', async () => {
    const ada = await acme.join('admin', 'ada')
    expect(await ada.ask('replay_chat', { room, speed: 1000 })).toEqual([true, null])
    expect(await ada.told('replay_ended')).toEqual({ room, seq: 4 })
    const names = replayed(ada).map(({ seq, event }) => `${seq} ${event}`)
    expect(names).toEqual([
      '0 append_unclaimed_chats',
      '0 own_chat_opened',
      '1 staff_claim_chat',
      '1 own_chat_claimed',
      '1 staff_join_room',
      '1 agent_new_chat',
      '2 visitor_send',
      '2 new_visitor_msg_for_supervisor',
      '2 own_msg',
      '3 staff_send',
      '3 new_staff_msg_for_supervisor',
      '3 own_msg',
      '4 visitor_leave',
      '4 visitor_leave_chat_for_supervisor',
      '4 own_chat_closed',
    ])
    expect(replayed(ada)[6]).toMatchObject({
      room,
      speed: 1000,
      to: 'person',
      id: expect.any(String),
      pos: expect.any(String),
      at: expect.any(Number),
    })
  })

  test('[REPLAY-2] brings exactly the data that went out then', async () => {
    const ada = await acme.join('admin', 'ada')
    await ada.ask('replay_chat', { room, speed: 1000 })
    await ada.told('replay_ended')
    for (const { event, data: again } of replayed(ada)) {
      const then = lived.flatMap((client) => client.all(event)).find(({ id }) => id === again.id)
      expect(again, event).toEqual(then)
    }
  })

  test.each([2, 8])(
    '[REPLAY-3] at speed %i keeps the pace of what happened, that many times as fast',
    async (speed) => {
      const ada = await acme.join('admin', 'ada')
      const from = performance.now()
      await ada.ask('replay_chat', { room, speed })
      await ada.told('replay_event', ({ seq }) => seq === 2)
      expect(performance.now() - from).toBeGreaterThanOrEqual(PAUSE_MS / speed)
      await ada.told('replay_ended')
    },
  )

  test('[REPLAY-4] is stopped by stop_replay, and the live pushes go on', async () => {
    const ada = await acme.join('admin', 'ada')
    expect(await ada.ask('stop_replay', { room })).toEqual([false, expect.stringMatching(/^no-replay: /)])
    await ada.ask('replay_chat', { room, speed: 0.01 })
    await ada.told('replay_event', ({ seq }) => seq === 1)
    expect(await ada.ask('stop_replay', { room })).toEqual([true, null])
    expect(await ada.ask('stop_replay', { room })).toEqual([false, expect.stringMatching(/^no-replay: /)])
    await acme.fence(ada)
    expect(ada.all('replay_ended')).toEqual([])
  })

  test('[REPLAY-5] is for supervisors and admins, and heard by the asking socket alone', async () => {
    const [ann, vera] = [await acme.join('agent', 'ann'), await acme.join('visitor', 'vera')]
    for (const client of [ann, vera]) {
      expect(await client.ask('replay_chat', { room })).toEqual([false, expect.stringMatching(/^supervisors-only: /)])
    }
    const tab = await acme.join('supervisor', 'sue')
    await sue.ask('replay_chat', { room, speed: 1000 })
    await sue.told('replay_ended')
    await acme.fence(tab, ann)
    for (const client of [tab, ann]) expect(replayed(client)).toEqual([])
    for (const speed of [0, -1, 1001, 'fast', null]) {
      expect(await sue.ask('replay_chat', { room, speed })).toEqual([
        false,
        expect.stringMatching(/^bad-request: speed/),
      ])
    }
  })
})

const lyceum = (args: readonly string[], env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../src/main.ts'), ...args], {
    env: { ...childEnv, LYCEUM_DATA: data, JWT_SECRET: SECRET, ...env },
    timeout: PATIENCE_MS,
  })

describe('the command line', () => {
  const expected = ['ChatOpened', 'ChatClaimed', 'VisitorWrote', 'StaffWrote', 'ChatClosed']
  const kinds = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s+/).find((word) => /^[A-Z][a-z]+[A-Z]/.test(word)))

  test('[CLI-1] makes tokens that the server takes', async () => {
    const { stdout } = await lyceum([
      'token',
      '--role',
      'supervisor',
      '--org',
      acme.org,
      '--sub',
      'sid',
      '--name',
      'Sid',
    ])
    const sid = await connect(server.url, { auth: { token: stdout.trim() } })
    const { online_users } = await sid.told('staff_init')
    expect(online_users.find(({ id }: { id: string }) => id === 'sid')).toMatchObject({
      full_name: 'Sid',
      role_id: 2,
      organisation_id: acme.org,
    })
    sid.close()
    await expect(lyceum(['token', '--role', 'boss', '--org', 'acme', '--sub', 'x'])).rejects.toMatchObject({
      stderr: expect.stringContaining('--role must be one of visitor, agent'),
    })
  })

  test('[CLI-2] tells a chat again beside a running server, and of a stopped one', async () => {
    expect(kinds((await lyceum(['replay', room, '--speed', '0'])).stdout)).toEqual(expected)
    expect(server.output()).not.toMatch(/"level":[56]0/)
    server.kill('SIGTERM')
    await server.ended
    const { stdout } = await lyceum(['replay', room, '--speed', '0'])
    expect(kinds(stdout)).toEqual(expected)
    expect(stdout).toContain('{"text":"three"}')
    await expect(lyceum(['replay', 'nowhere'])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no chat "nowhere"'),
    })
  })
})
