import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tcpUnder } from '../faults/paused.ts'
import { recordIn } from '../support/data.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

const visitor = { name: 'Many', email: null, createdAt: 1, updatedAt: null }
const opened = (org: string, text: string) =>
  ({ type: 'ChatOpened', org, visitorId: 'many', visitor, content: { text } }) as const

describe('what older releases let in', () => {
  const WAITING = 250
  const MESSAGES = 350
  let data: string
  let server: TestServer
  let acme: Company
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'lyceum-bounds-'))
    const long = { type: 'StaffWrote', staffId: 'ann', content: { text: 'x'.repeat(48 * 1024) } } as const
    await recordIn(data, [
      ['presence-acme.many', { type: 'CameOnline', role: 'visitor', at: Date.now() }],
      ...Array.from({ length: WAITING }, (_, n) => {
        return [`chat-waits-${n}`, opened('acme', `${n} ${'x'.repeat(40 * 1024)}`)] as const
      }),
      ['chat-long', opened('acme', 'one')],
      ['chat-long', { type: 'ChatClaimed', staffId: 'ann', role: 'agent' }],
      ...Array.from({ length: MESSAGES }, () => ['chat-long', long] as const),
      ['chat-long', { type: 'ChatClosed', reason: 'staff-left' }],
    ])
    server = await startServer({ data, env: { DISCONNECT_GRACE_MS: '600000' } })
    acme = company(server, 'websocket', 'acme')
  })
  afterAll(async () => {
    acme.close()
    expect(await server.stop()).toBe(0)
    await rm(data, { recursive: true, force: true })
  })

  // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
  const get = async (path: string, headers = {}): Promise<any> => {
    const answer = await acme.http('supervisor', path, { headers })
    expect(answer.status).toBe(200)
    return answer
  }

  test('[LIMIT-15] a queue of 10 MiB: an opening has all chats, and so much of their contents', async () => {
    const ann = await acme.join('agent', 'ann')
    const init = await ann.told('staff_init')
    expect(JSON.stringify(init).length).toBeLessThan(5 * 1024 * 1024)
    expect([init.unclaimed_total, init.unclaimed_until]).toEqual([WAITING, null])
    const counts = init.unclaimed_chats.map((chat: { contents: unknown[] }) => chat.contents.length)
    expect(counts).toEqual([...counts].sort((a, b) => b - a)) // those that have waited longest have theirs
    expect(counts.slice(0, 50)).toEqual(Array(50).fill(1))
    const { room, contents, contents_total } = init.unclaimed_chats.at(-1)
    expect([contents, contents_total]).toEqual([[], 1])
    expect(await ann.ask('staff_join', { room: room.id })).toEqual([true, null])
    expect((await ann.told('own_chat_claimed')).contents).toHaveLength(1)
  })

  test('[HTTP-16] a transcript of 17 MiB is read page by page, the newest first', async () => {
    const numbers: number[] = []
    for (let before = ''; ; ) {
      const text = await (await get(`/api/v1/chats/long${before}`)).text()
      expect(text.length).toBeLessThan(1.1 * 1024 * 1024)
      const { data } = JSON.parse(text)
      expect(data.messages_count).toBe(MESSAGES + 1)
      numbers.unshift(...data.transcript.map((one: { sequence_num: number }) => one.sequence_num))
      if (data.before === undefined) break
      before = `?before=${data.before}`
    }
    expect(numbers).toEqual(Array.from({ length: MESSAGES + 1 }, (_, n) => n + 1))
  })

  test('[HTTP-17] so are its events; as NDJSON they come in one answer', async () => {
    const seqs: number[] = []
    for (let after: number | undefined = -1; after !== undefined; ) {
      const text: string = await (await get(`/api/v1/chats/long/events?limit=1000&after=${after}`)).text()
      expect(text.length).toBeLessThan(1.1 * 1024 * 1024)
      const page: { data: { seq: number }[]; next?: number } = JSON.parse(text)
      seqs.push(...page.data.map(({ seq }) => seq))
      after = page.next
    }
    const all = Array.from({ length: MESSAGES + 3 }, (_, n) => n)
    expect(seqs).toEqual(all)
    const lines = await (await get('/api/v1/chats/long/events?limit=1000&format=ndjson')).text()
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line: string) => JSON.parse(line).seq),
    ).toEqual(all)
  })

  test('[REPLAY-7] a replay of 50 MiB waits for its reader, who is not cut off', async () => {
    const sue = await acme.join('supervisor', 'sue')
    await sue.told('staff_init')
    const tcp = tcpUnder(sue.socket)
    tcp.pause()
    sue.socket.emit('replay_chat', { room: 'long', speed: 1000 })
    await pause(2_500) // two looks of the server at what waits
    tcp.resume()
    expect(await sue.told('replay_ended')).toEqual({ room: 'long', seq: MESSAGES + 2 })
    expect(server.output()).not.toContain('does not read')
  })
})

describe('what comes in', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ env: { QUEUE_CHATS: '2', QUEUE_BYTES: '10000', CHAT_BYTES_PER_MINUTE: '65536' } })
  })
  afterAll(() => server.stop())
  const text = (bytes: number) => ({ text: 'x'.repeat(bytes) })
  const full = [false, expect.stringMatching(/^queue-full: /)]

  test('[LIMIT-12] nobody opens a chat while as many wait as may, until one is claimed', async () => {
    const acme = company(server)
    const ann = await acme.join('agent', 'ann')
    const { room } = await acme.chat('vera', ann)
    await acme.chat('vic', ann)
    const val = await acme.join('visitor', 'val')
    expect(await val.ask('visitor_first_msg', text(1))).toEqual(full)
    const elsewhere = company(server)
    await elsewhere.chat('val', await elsewhere.join('agent', 'ann'))
    await ann.ask('staff_join', { room })
    await ann.told('own_chat_claimed')
    expect(await val.ask('visitor_first_msg', text(1))).toEqual([true, null])
    acme.close()
    elsewhere.close()
  })

  test('[LIMIT-12] when much waits, each chat takes a short question', async () => {
    const acme = company(server)
    const ann = await acme.join('agent', 'ann')
    const { room, visitor: vera } = await acme.chat('vera', ann, text(20_000))
    const vic = await acme.join('visitor', 'vic')
    expect(await vic.ask('visitor_first_msg', text(5_000))).toEqual(full)
    expect(await vic.ask('visitor_first_msg', text(3_000))).toEqual([true, null])
    expect(await vic.ask('visitor_msg', text(1_000))).toEqual(full)
    expect(await vera.ask('visitor_msg', text(1))).toEqual(full)
    await ann.ask('staff_join', { room })
    await ann.told('own_chat_claimed')
    expect(await vera.ask('visitor_msg', text(1))).toEqual([true, null])
    expect(await vic.ask('visitor_msg', text(9_000))).toEqual([true, null])
    acme.close()
  })

  test('[LIMIT-14] one person writes so many bytes a minute, visitors and staff alike', async () => {
    const acme = company(server)
    const ann = await acme.join('agent', 'ann')
    const { room, visitor: vera } = await acme.chat('vera', ann)
    await ann.ask('staff_join', { room })
    const say = { vera: () => vera.ask('visitor_msg', text(60_000)), ann: () => ann.ask('staff_msg', written) }
    const written = { room, content: text(60_000) }
    for (const who of ['vera', 'ann'] as const) {
      expect(await say[who]()).toEqual([true, null])
      expect(await say[who]()).toEqual([true, null])
      expect(await say[who]()).toEqual([false, expect.stringMatching(/^rate-limited: /)])
    }
    acme.close()
  })
})
