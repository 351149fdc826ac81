import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
let acme: Company
let room: string
let other: string
// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
let events: any[]

/** Two chats: one with everything that can happen in it, one that waits. */
beforeAll(async () => {
  server = await startServer()
  acme = company(server)
  const [ann, sue] = await Promise.all([acme.join('agent', 'ann'), acme.join('supervisor', 'sue')])
  const chat = await acme.chat('vera', ann, { text: 'one' })
  room = chat.room
  await chat.visitor.ask('visitor_msg', { text: 'two' })
  await ann.ask('staff_join', { room })
  await ann.ask('staff_msg', { room, content: { text: 'three' } })
  await ann.ask('change_chat_priority', { room, severity_level: 9 })
  await sue.ask('take_over_chat', { room })
  await sue.ask('staff_msg', { room, content: { text: 'four' } })
  await chat.visitor.ask('visitor_leave_room')
  await sue.ask('change_chat_priority', { room, severity_level: 0 })
  other = (await acme.chat('vic', ann, { text: 'waiting' })).room
  events = await acme.events(room)
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
const get = async (path: string, role = 'supervisor'): Promise<{ status: number; body: any }> => {
  const answer = await acme.http(role, path)
  return { status: answer.status, body: await answer.json() }
}

describe('the events of a chat', () => {
  test('[HTTP-1] are told as they were recorded, with who caused them', () => {
    const types = [
      'ChatOpened',
      'VisitorWrote',
      'ChatClaimed',
      'StaffWrote',
      'ChatFlagged',
      'ChatTakenOver',
      'StaffWrote',
      'ChatClosed',
      'ChatFlagged',
    ]
    expect(events.map(({ type }) => type)).toEqual(types)
    expect(events.map(({ seq }) => seq)).toEqual(types.map((_, i) => i))
    const by = ['vera', 'vera', 'ann', 'ann', 'ann', 'sue', 'sue', 'vera', 'sue']
    expect(events.map((event) => event.by)).toEqual(by.map((id) => `${acme.org}.${id}`))
    expect(events[3]).toMatchObject({ room, data: { staffId: 'ann', content: { text: 'three' } }, caused_by: null })
  })

  test('[HTTP-2] come in pages of any size, and every page says where the next one begins', async () => {
    for (const limit of [1, 2, 4, 9, 10]) {
      const paged = []
      for (let after = -1; ; ) {
        const { body } = await get(`/api/v1/chats/${room}/events?limit=${limit}&after=${after}`)
        paged.push(...body.data)
        if (body.next === undefined) break
        expect(body.data).toHaveLength(limit)
        after = body.next
      }
      expect(paged).toEqual(events)
    }
  })

  test('[HTTP-3] come as lines of JSON for whoever asks for them', async () => {
    for (const [path, headers] of [
      ['?format=ndjson', {}],
      ['', { Accept: 'application/x-ndjson' }],
    ] as const) {
      const answer = await acme.http('supervisor', `/api/v1/chats/${room}/events${path}`, { headers })
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
      const lines = (await answer.text()).trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line))).toEqual(events)
    }
  })
})

describe('a chat', () => {
  test('[HTTP-4] as of each of its events is the fold of the events up to there', async () => {
    const expected = {
      state: '',
      staff_id: null as string | null,
      severity_level: 0,
      transcript: [] as [number, string | null, object][],
    }
    for (const { seq, type, data } of events) {
      if (type === 'ChatOpened') expected.state = 'unclaimed'
      if (type === 'ChatClaimed') Object.assign(expected, { state: 'claimed', staff_id: data.staffId })
      if (type === 'ChatTakenOver') Object.assign(expected, { state: 'takenOver', staff_id: data.staffId })
      if (type === 'ChatFlagged') expected.severity_level = data.severity
      if (type === 'ChatClosed') expected.state = 'closed'
      if (data.content) expected.transcript.push([expected.transcript.length + 1, data.staffId ?? null, data.content])
      const { body } = await get(`/api/v1/chats/${room}?at=${seq}`)
      const { state, staff_id, severity_level, transcript } = body.data
      const told = transcript.map(
        (message: { sequence_num: number; sender: { id: string } | null; content: object }) => [
          message.sequence_num,
          message.sender?.id ?? null,
          message.content,
        ],
      )
      expect({ state, staff_id, severity_level, transcript: told }, `seq ${seq}`).toEqual(expected)
      expect(body.data).toMatchObject({ id: room, seq, visitor_id: 'vera', messages_count: expected.transcript.length })
    }
    expect((await get(`/api/v1/chats/${room}`)).body.data).toEqual((await get(`/api/v1/chats/${room}?at=8`)).body.data)
  })

  test('[HTTP-5] of an event that it does not have is 404, a wrong number 400', async () => {
    expect(await get(`/api/v1/chats/${room}?at=9`)).toMatchObject({
      status: 404,
      body: { error: { code: 'no-such-event' } },
    })
    for (const at of ['-1', 'x', '1.5', '']) expect((await get(`/api/v1/chats/${room}?at=${at}`)).status, at).toBe(400)
    for (const query of ['limit=0', 'limit=1001', 'after=-2', 'format=xml']) {
      expect((await get(`/api/v1/chats/${room}/events?${query}`)).status, query).toBe(400)
    }
  })
})

describe('the list of chats', () => {
  const ids = async (query: string, role = 'supervisor') =>
    (await get(`/api/v1/chats${query}`, role)).body.data.map(({ id }: { id: string }) => id)

  test('[HTTP-6] is filtered by state, staff, visitor and time, newest first', async () => {
    expect(await ids('')).toEqual([other, room])
    expect(await ids('?state=open')).toEqual([other])
    expect(await ids('?state=unclaimed')).toEqual([other])
    expect(await ids('?state=closed')).toEqual([room])
    expect(await ids('?state=claimed')).toEqual([])
    for (const staff of ['ann', 'sue']) expect(await ids(`?staff=${staff}`), 'whoever ever served it').toEqual([room])
    expect(await ids('?staff=bob')).toEqual([])
    expect(await ids('?visitor=vic')).toEqual([other])
    expect(await ids('?visitor=vic&state=closed')).toEqual([])
    const [first, second] = (await get('/api/v1/chats')).body.data
      .map(({ created_at }: { created_at: number }) => created_at)
      .reverse()
    expect(await ids(`?from=${second}`)).toEqual(second === first ? [other, room] : [other])
    expect(await ids(`?to=${first}`)).toEqual([])
    expect(await ids(`?from=${new Date(first).toISOString()}&to=${second + 1}`)).toEqual([other, room])
  })

  test('[HTTP-7] is read page by page without loss or repeat', async () => {
    const { body } = await get('/api/v1/chats?limit=1')
    expect(body.data[0].id).toBe(other)
    const rest = await get(`/api/v1/chats?limit=5&after=${encodeURIComponent(body.next)}`)
    expect(rest.body.data.map(({ id }: { id: string }) => id)).toEqual([room])
    expect(rest.body.next).toBeUndefined()
  })
})

test('[VIEW-1] what was acknowledged is in the list that is asked for afterwards', async () => {
  const busy = company(server)
  const sue = await busy.join('supervisor', 'sue')
  for (let i = 0; i < 15; i++) {
    const { room } = await busy.chat(`v${i}`, sue)
    await sue.ask('change_chat_priority', { room, severity_level: 1 + i })
    const answer = await busy.http('supervisor', '/api/v1/chats?limit=1')
    expect(await answer.json()).toMatchObject({ data: [{ id: room, severity_level: 1 + i }] })
  }
  busy.close()
})

describe('who may look', () => {
  test(
    '[HTTP-8] agents find the chats that they serve or served and no others, visitors their own; teachers and ' +
      'students nothing',
    async () => {
      for (const role of ['agent', 'visitor', 'teacher', 'student']) {
        for (const path of ['', `/${room}`, `/${room}/events`]) {
          const answer = await get(`/api/v1/chats${path}`, role)
          if (role === 'visitor') expect(answer).toMatchObject(path === '' ? { body: { data: [] } } : { status: 404 })
          else expect(answer).toMatchObject({ status: 403, body: { error: { code: expect.stringMatching(/-only$/) } } })
        }
      }
      expect(await get('/api/v1/chats?staff=me', 'agent')).toMatchObject({ status: 200, body: { data: [] } })
      expect((await get('/api/v1/chats?staff=ann', 'agent')).status).toBe(403)
      expect((await get('/api/v1/chats?visitor=another', 'visitor')).status).toBe(403)
      expect((await fetch(`${server.url}/api/v1/chats`)).status).toBe(401)
    },
  )

  test('[ORG-3] a chat of another organisation is answered exactly like one that does not exist', async () => {
    const foreign = company(server)
    for (const path of ['', '?at=0', '/events', '/events?format=ndjson']) {
      const theirs = await foreign.http('admin', `/api/v1/chats/${room}${path}`)
      const none = await foreign.http('admin', `/api/v1/chats/nowhere${path}`)
      expect([theirs.status, await theirs.text()]).toEqual([404, await none.text()])
    }
    expect(await (await foreign.http('admin', '/api/v1/chats')).json()).toEqual({ data: [] })
  })
})
