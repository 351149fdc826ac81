import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

let data: string
let server: TestServer
let acme: Company
let ann: Client
let vera: Client
let room: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-once-'))
  server = await startServer({ data })
})
afterAll(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})
beforeEach(async () => {
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  ;({ visitor: vera, room } = await acme.chat('vera', ann))
  await ann.ask('staff_join', { room })
})
afterEach(() => acme.close())

const yes = [true, null]
const reused = [false, expect.stringMatching(/^client-id-reused: /)]
const written = async () => {
  const events = await acme.events(room)
  return events.flatMap(({ type, data }) => (type.endsWith('Wrote') ? [data.content] : []))
}

describe('a client_id', () => {
  test.each([
    ['beside the content', (content: object, client_id: string) => vera.ask('visitor_msg', { content, client_id })],
    ['as the last argument', (content: object, client_id: string) => vera.ask('visitor_msg', content, client_id)],
    [
      'as the last argument after wrapped content',
      (content: object, id: string) => vera.ask('visitor_msg', { content }, id),
    ],
    ['in data', (content: object, client_id: string) => ann.ask('staff_msg', { room, content, client_id })],
  ])('[ONCE-6] %s makes a repeat give the first answer and add nothing', async (_, say) => {
    expect(await Promise.all([say({ n: 1 }, 'a'), say({ n: 1 }, 'a')])).toEqual([yes, yes])
    expect(await say({ n: 1 }, 'a')).toEqual(yes)
    expect(await say({ n: 2 }, 'a')).toEqual(reused)
    expect(await say({ n: 2 }, 'b')).toEqual(yes)
    expect(await written()).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('[ONCE-7] means the same wherever it is put, and under both names for writing', async () => {
    expect(await vera.ask('visitor_msg', { n: 1 }, 'a')).toEqual(yes)
    expect(await vera.ask('visitor_msg_unclaimed', { content: { n: 1 }, client_id: 'a' })).toEqual(yes)
    expect(await written()).toEqual([{ n: 1 }])
  })

  test('[ONCE-2] is not used twice for different things', async () => {
    expect(await ann.ask('change_chat_priority', { room, severity_level: 1, client_id: 'a' })).toEqual(yes)
    expect(await ann.ask('change_chat_priority', { room, severity_level: 2, client_id: 'a' })).toEqual(reused)
    expect(await ann.ask('staff_msg', { room, content: {}, client_id: 'a' })).toEqual(reused)
    expect(await vera.ask('visitor_msg', {}, 'a'), 'of another person is another one').toEqual(yes)
  })

  test('[ONCE-8] of an opening or a leaving gives the first answer again, also when the chat has ended', async () => {
    const vic = await acme.join('visitor', 'vic')
    expect(await vic.ask('visitor_first_msg', { content: { n: 1 }, client_id: 'open' })).toEqual(yes)
    expect(await vic.ask('visitor_first_msg', { n: 1 }, 'open')).toEqual(yes)
    expect(await vic.ask('visitor_leave_room', { client_id: 'leave' })).toEqual(yes)
    expect(await vic.ask('visitor_leave_room', { client_id: 'leave' })).toEqual(yes)
    expect(await vic.ask('visitor_first_msg', { n: 1 }, 'open'), 'the first chat, not another one').toEqual(yes)
    await acme.fence(ann)
    expect(ann.all('append_unclaimed_chats').filter(({ user }) => user.id === 'vic')).toHaveLength(1)
    expect(ann.all('visitor_leave_queue')).toHaveLength(1)
  })

  test('[ONCE-9] is a text of 1 to 128 characters; null is none', async () => {
    for (const client_id of ['', 'x'.repeat(129), 7, {}, ['a']]) {
      const refused = [false, expect.stringMatching(/^bad-request: client_id/)]
      expect(await ann.ask('staff_msg', { room, content: {}, client_id })).toEqual(refused)
      expect(await vera.ask('visitor_msg', { content: {}, client_id }), JSON.stringify(client_id)).toEqual(refused)
    }
    expect(await vera.ask('visitor_msg', {}, 'x'.repeat(128))).toEqual(yes)
    expect(await ann.ask('staff_msg', { room, content: {}, client_id: null })).toEqual(yes)
    expect(await vera.ask('visitor_msg', {}, null)).toEqual(yes)
    expect(await written()).toEqual([{}, {}, {}])
  })
})

test('[ONCE-4] a repeat after the server was killed and started again adds nothing', async () => {
  const { org } = acme
  await vera.ask('visitor_msg', { n: 1 }, 'a')
  await ann.ask('staff_msg', { room, content: { n: 2 }, client_id: 'b' })
  server.kill('SIGKILL')
  await server.ended
  server = await startServer({ data })
  const back = company(server, 'websocket', org)
  const [vera2, ann2] = await Promise.all([back.join('visitor', 'vera'), back.join('agent', 'ann')])
  expect(await vera2.ask('visitor_msg', { n: 1 }, 'a')).toEqual(yes)
  expect(await ann2.ask('staff_msg', { room, content: { n: 2 }, client_id: 'b' })).toEqual(yes)
  expect(await vera2.ask('visitor_msg', { n: 3 }, 'a')).toEqual(reused)
  expect(await vera2.ask('visitor_msg', { n: 3 }, 'c')).toEqual(yes)
  await ann2.told('visitor_send', ({ content }) => content.n === 3)
  acme = back
  expect(await written()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
})
