import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '300' } })
})
afterAll(async () => void (await server.stop()))

interface Desk {
  readonly acme: Company
  readonly ann: Client
  readonly bob: Client
  readonly sue: Client
  readonly vera: Client
  readonly room: string
}

/** A chat that ann serves, in which both have written. */
async function served(on: TestServer = server): Promise<Desk> {
  const acme = company(on)
  onTestFinished(() => acme.close())
  const [ann, bob, sue] = [
    await acme.join('agent', 'ann'),
    await acme.join('agent', 'bob'),
    await acme.join('supervisor', 'sue'),
  ]
  const { visitor: vera, room } = await acme.chat('vera', ann, { text: 'one' })
  expect(await ann.ask('staff_join', { room })).toEqual([true, null])
  expect(await ann.ask('staff_msg', { room, content: { text: 'two' } })).toEqual([true, null])
  expect(await vera.ask('visitor_msg', { text: 'three' })).toEqual([true, null])
  return { acme, ann, bob, sue, vera, room }
}
const inRoom = (room: string) => (data: { room: string | { id: string } }) =>
  (typeof data.room === 'string' ? data.room : data.room.id) === room
const texts = (contents: { content: { text: string } }[]) => contents.map(({ content }) => content.text)

test(
  '[HAND-1] whoever serves hands a chat to a colleague, who is told what is in it and serves from ' + 'then on',
  async () => {
    const { acme, ann, bob, sue, vera, room } = await served()
    expect(await ann.ask('transfer_chat', { room, staff_id: 'bob' })).toEqual([true, null])
    const { contents, state } = await bob.told('own_chat_claimed', inRoom(room))
    expect({ state, texts: texts(contents) }).toEqual({ state: 'claimed', texts: ['one', 'two', 'three'] })
    expect(await vera.told('staff_join_room', ({ user }) => user.id === 'bob')).toMatchObject({ room })
    await ann.told('staff_being_taken_over_chat', inRoom(room))
    await sue.told('staff_take_over_chat', inRoom(room))
    expect((await ann.ask('staff_msg', { room, content: {} }))[0]).toBe(false)
    expect(await bob.ask('staff_msg', { room, content: { text: 'four' } })).toEqual([true, null])
    await vera.told('staff_send', ({ content }) => content.text === 'four')
    expect((await acme.events(room)).map(({ type }) => type)).toContain('ChatTransferred')
  },
)

test(
  '[HAND-2] whoever serves returns a chat to the queue, into its old place, with what the visitor ' + 'wrote',
  async () => {
    const { acme, ann, bob, vera, room } = await served()
    const { room: later } = await acme.chat('vic', bob)
    expect(await ann.ask('return_chat', { room })).toEqual([true, null])
    const again = await bob.told(
      'append_unclaimed_chats',
      ({ contents, ...data }) => inRoom(room)(data) && contents.length > 1,
    )
    expect(again.contents).toEqual([{ text: 'one' }, { text: 'three' }])
    await vera.told('staff_return_chat', inRoom(room))
    await ann.told('own_chat_returned', inRoom(room))
    const { unclaimed_chats } = await (await acme.join('agent', 'cat')).told('staff_init')
    expect(unclaimed_chats.map((chat: { room: { id: string } }) => chat.room.id)).toEqual([room, later])
    expect(await bob.ask('staff_join', { room })).toEqual([true, null])
    const { contents } = await bob.told('own_chat_claimed', inRoom(room))
    expect(texts(contents)).toEqual(['one', 'two', 'three'])
  },
)

test('[HAND-3] those who supervise assign a chat, from the queue or from whoever has a lower rank', async () => {
  const { acme, ann, bob, sue, room } = await served()
  expect(await sue.ask('assign_chat', { room, staff_id: 'bob' })).toEqual([true, null])
  await bob.told('own_chat_claimed', inRoom(room))
  const { room: queued } = await acme.chat('vic', ann)
  expect(await sue.ask('assign_chat', { room: queued, staff_id: 'ann' })).toEqual([true, null])
  await ann.told('own_chat_claimed', inRoom(queued))
  await ann.told('staff_claim_chat', inRoom(queued))
  expect((await ann.ask('assign_chat', { room, staff_id: 'ann' }))[1]).toMatch(/^supervisors-only/)
  const ada = await acme.join('admin', 'ada')
  expect(await ada.ask('take_over_chat', { room })).toEqual([true, null])
  expect((await sue.ask('assign_chat', { room, staff_id: 'ann' }))[1]).toMatch(/^rank-too-low/)
  expect(await ada.ask('transfer_chat', { room, staff_id: 'bob' }), 'given back after a take-over').toEqual([
    true,
    null,
  ])
})

test(
  '[HAND-4] a chat goes to staff who are here, and to nobody else; who asks again gets the first ' + 'answer',
  async () => {
    const { acme, ann, bob, vera, room } = await served()
    const refused = async (staff_id: unknown) =>
      ((await ann.ask('transfer_chat', { room, staff_id })) as [boolean, string])[1]
    expect(await refused('nobody')).toMatch(/^colleague-not-here/)
    expect(await refused('vera')).toMatch(/^not-a-colleague/)
    expect(await refused(7)).toMatch(/^bad-request/)
    expect((await bob.ask('transfer_chat', { room, staff_id: 'bob' }))[1]).toMatch(/^not-serving-chat/)
    expect((await bob.ask('return_chat', { room }))[1]).toMatch(/^not-serving-chat/)
    expect((await vera.ask('return_chat', { room }))[1]).toMatch(/^staff-only/)
    const call = { room, staff_id: 'bob', client_id: 'once' }
    expect(await ann.ask('transfer_chat', call)).toEqual([true, null])
    const watcher = await acme.join('agent', 'watcher')
    bob.close()
    await watcher.told('staff_goes_offline', ({ user }) => user.id === 'bob')
    expect(await ann.ask('transfer_chat', call)).toEqual([true, null])
    expect((await acme.events(room)).filter(({ type }) => type === 'ChatTransferred')).toHaveLength(1)
  },
)

describe('a server who goes away', () => {
  test(
    '[HAND-5] with ON_STAFF_GONE=return a chat whose server is gone goes back to the queue, and its ' + 'visitor waits',
    async () => {
      const kind = await startServer({ env: { DISCONNECT_GRACE_MS: '200', ON_STAFF_GONE: 'return' } })
      onTestFinished(async () => void (await kind.stop()))
      for (const how of ['closed', 'lost']) {
        const { ann, bob, vera, room } = await served(kind)
        if (how === 'closed') ann.close()
        else ann.socket.io.engine.close()
        await vera.told('staff_return_chat', inRoom(room))
        expect(vera.all('staff_leave')).toEqual([])
        expect(await bob.ask('staff_join', { room })).toEqual([true, null])
        vera.close()
        await bob.told('visitor_leave', inRoom(room))
      }
    },
  )
})

test('[OWN-4] a claim that is repeated by the claimer tells again what is in the chat', async () => {
  const { acme, room } = await served()
  const reloaded = await acme.join('agent', 'ann')
  const { own_chats } = await reloaded.told('staff_init')
  expect(own_chats).toMatchObject([{ room: { id: room }, state: 'claimed', unread: 1, user: { id: 'vera' } }])
  expect(await reloaded.ask('staff_join', { room })).toEqual([true, null])
  expect(texts((await reloaded.told('own_chat_claimed', inRoom(room))).contents)).toEqual(['one', 'two', 'three'])
})

test('[OWN-5] a visitor is told on coming what their chat holds, also after everything was loaded anew', async () => {
  const { acme, ann, vera, room } = await served()
  vera.socket.io.engine.close()
  const back = await connect(server.url, { auth: { token: await tokenFor('visitor', 'vera', acme.org) } })
  onTestFinished(() => back.close())
  const { chat, user, pos } = await back.told('visitor_init')
  expect({ room: chat.room, staff: chat.staff.id, texts: texts(chat.messages) }).toEqual({
    ...{ room, staff: 'ann', texts: ['one', 'two', 'three'] },
  })
  expect(user.id).toBe('vera')
  expect(pos).toMatch(/^\d+$/)
  expect(await ann.ask('staff_leave_room', { room })).toEqual([true, null])
  await back.told('staff_leave')
  const third = await acme.join('visitor', 'vera')
  expect((await third.told('visitor_init')).chat).toBeNull()
})

test(
  '[HTTP-14] a chat is shown to its visitor and to whoever serves it; to whoever served it as far ' + 'as they did',
  async () => {
    const { acme, ann, bob, room } = await served()
    const get = async (role: string, id: string, path: string) => {
      const token = await tokenFor(role, id, acme.org)
      const answer = await fetch(`${server.url}/api/v1/chats${path}`, { headers: { Authorization: `Bearer ${token}` } })
      // biome-ignore lint/suspicious/noExplicitAny: answers are JSON of many shapes
      return { status: answer.status, body: (await answer.json()) as any }
    }
    await ann.ask('change_chat_priority', { room, severity_level: 7 })
    expect(await ann.ask('transfer_chat', { room, staff_id: 'bob' })).toEqual([true, null])
    expect(await bob.ask('staff_msg', { room, content: { text: 'after ann' } })).toEqual([true, null])
    const shown = async (role: string, id: string) => {
      const { data } = (await get(role, id, `/${room}`)).body
      const events = (await get(role, id, `/${room}/events`)).body.data
      return {
        severity: data.severity_level,
        texts: texts(data.transcript),
        types: events.map((one: { type: string }) => one.type),
      }
    }
    const all = ['one', 'two', 'three', 'after ann']
    const types = [
      'ChatOpened',
      'ChatClaimed',
      'StaffWrote',
      'VisitorWrote',
      'ChatFlagged',
      'ChatTransferred',
      'StaffWrote',
    ]
    expect(await shown('agent', 'bob')).toEqual({ severity: 7, texts: all, types })
    expect(await shown('visitor', 'vera')).toEqual({
      severity: 0,
      texts: all,
      types: types.filter((type) => type !== 'ChatFlagged'),
    })
    expect(await shown('agent', 'ann')).toEqual({ severity: 7, texts: all.slice(0, 3), types: types.slice(0, 6) })
    expect((await get('agent', 'ann', `/${room}?at=6`)).status).toBe(403)
    expect((await get('agent', 'cat', `/${room}`)).status).toBe(403)
    expect((await get('visitor', 'vic', `/${room}`)).status).toBe(404)
    expect((await get('visitor', 'vera', '?visitor=me')).body.data).toMatchObject([{ id: room, severity_level: 0 }])
    expect((await get('agent', 'bob', '?staff=me&state=open')).body.data).toMatchObject([{ id: room }])
  },
)
