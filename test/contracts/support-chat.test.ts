import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'
import { keys, MESSAGE, PERSON, PUSHES, ROOM } from './support-chat-events.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

type Name = 'ada' | 'sue' | 'ann' | 'bob' | 'vera' | 'vic' | 'eve'

describe.each(['websocket', 'polling'] as const)('a day at the desk over %s', (transport) => {
  let acme: Company
  let other: Company
  let cast: Record<Name, Client>
  const rooms: string[] = []

  beforeAll(async () => {
    acme = company(server, transport)
    other = company(server, transport)
    const [ada, sue, ann, bob, eve] = await Promise.all([
      acme.join('admin', 'ada'),
      acme.join('supervisor', 'sue'),
      acme.join('agent', 'ann'),
      acme.join('agent', 'bob'),
      other.join('admin', 'eve'),
    ])
    for (const one of [ada, sue, ann, bob]) await one.told('staff_init')
    await acme.fence(ada, sue, ann, bob)
    const [vera, vic] = await Promise.all([acme.join('visitor', 'vera'), acme.join('visitor', 'vic')])
    cast = { ada, sue, ann, bob, vera, vic, eve }

    const does = async (who: Client, name: string, ...args: unknown[]) =>
      expect(await who.ask(name, ...args)).toEqual([true, null])
    const nextRoom = async (): Promise<string> => {
      const { room } = await ann.told(
        'append_unclaimed_chats',
        (data) => data.user.id === 'vera' && !rooms.includes(data.room.id),
      )
      rooms.push(room.id)
      return room.id
    }

    await does(vera, 'visitor_first_msg', { text: 'one' })
    const first = await nextRoom()
    await does(vera, 'visitor_msg_unclaimed', { text: 'two' })
    await does(ann, 'staff_join', { room: first })
    await does(vera, 'visitor_msg', { text: 'three' })
    await does(ann, 'staff_msg', { room: first, content: { text: 'four' } })
    await does(bob, 'change_chat_priority', { room: first, severity_level: 2 })
    await does(sue, 'take_over_chat', { room: first })
    await does(vera, 'visitor_msg', { text: 'five' })
    await does(sue, 'staff_msg', { room: first, content: { text: 'six' } })
    await does(sue, 'staff_leave_room', { room: first })

    await does(vera, 'visitor_first_msg', { text: 'again' })
    await does(ann, 'staff_join', { room: await nextRoom() })
    await does(vera, 'visitor_leave_room')

    await does(vera, 'visitor_first_msg', { text: 'never mind' })
    await nextRoom()
    await does(vera, 'visitor_leave_room')

    const cat = await acme.join('agent', 'cat')
    await bob.told('staff_goes_online', ({ user }) => user.id === 'cat')
    cat.close()
    await bob.told('staff_goes_offline', ({ user }) => user.id === 'cat')

    // One later fact on every socket: from here on it is certain what was not heard before.
    for (const [who, id] of [
      [vera, 'vera'],
      [vic, 'vic'],
    ] as const) {
      await does(who, 'visitor_first_msg', { text: `last of ${id}` })
      const { room } = await bob.told('append_unclaimed_chats', ({ contents }) => contents[0].text === `last of ${id}`)
      await does(bob, 'staff_join', { room: room.id })
      await who.told('staff_join_room', (data) => data.room === room.id)
    }
    await acme.fence(ada, sue, ann, bob)
    await other.fence(eve)
  })
  afterAll(() => {
    acme.close()
    other.close()
  })

  /** How often each of them hears it in this whole day. */
  const day: readonly (readonly [rule: string, name: string, heard: Partial<Record<Name, number>>])[] = [
    ['PUSH-2', 'append_unclaimed_chats', { ada: 3, sue: 3, ann: 3, bob: 3 }],
    ['PUSH-3', 'visitor_unclaimed_msg', { ada: 1, sue: 1, ann: 1, bob: 1 }],
    ['PUSH-4', 'staff_claim_chat', { ada: 2, sue: 2, bob: 2 }],
    ['PUSH-4', 'own_chat_claimed', { ann: 2, sue: 1 }],
    ['OWN-1', 'own_chat_opened', { vera: 3 }],
    ['OWN-2', 'own_msg', { vera: 3, ann: 1, sue: 1 }],
    ['OWN-3', 'own_chat_closed', { vera: 2, sue: 1 }],
    ['PUSH-4', 'staff_join_room', { vera: 2 }],
    ['PUSH-4', 'agent_new_chat', { ada: 2, sue: 2 }],
    ['PUSH-5', 'visitor_send', { ann: 1, sue: 1 }],
    ['PUSH-5', 'new_visitor_msg_for_supervisor', { ada: 2, sue: 1 }],
    ['PUSH-6', 'staff_send', { vera: 2 }],
    ['PUSH-6', 'new_staff_msg_for_supervisor', { ada: 2, sue: 1 }],
    ['PUSH-7', 'staff_being_taken_over_chat', { ann: 1, vera: 1 }],
    ['PUSH-7', 'staff_take_over_chat', { ada: 1, sue: 1 }],
    ['PUSH-8', 'chat_has_changed_priority_for_supervisor', { ada: 1, sue: 1 }],
    ['PUSH-8', 'chat_has_changed_priority', { ann: 1, bob: 1 }],
    ['PUSH-9', 'staff_leave', { vera: 1 }],
    ['PUSH-9', 'staff_leave_chat_for_supervisor', { ada: 1 }],
    ['PUSH-10', 'visitor_leave', { ann: 1 }],
    ['PUSH-10', 'visitor_leave_chat_for_supervisor', { ada: 1, sue: 1 }],
    ['PUSH-11', 'visitor_leave_queue', { ada: 1, sue: 1, ann: 1, bob: 1 }],
    ['PUSH-12', 'staff_goes_online', { ada: 1, sue: 1, ann: 1, bob: 1 }],
    ['PUSH-12', 'staff_goes_offline', { ada: 1, sue: 1, ann: 1, bob: 1 }],
    ['PUSH-13', 'visitor_goes_online', { ada: 2, sue: 2, ann: 2, bob: 2 }],
    ['PUSH-13', 'visitor_goes_offline', {}],
  ]

  /** Left out: the last facts in other chats, the fences, and how the staff came in the morning. */
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes
  const counts = ({ room, user }: any): boolean =>
    room === undefined ? ['cat', 'vera', 'vic'].includes(user.id) : rooms.includes(room.id ?? room)

  test.each(day)('[%s] %s is heard by those whom it is for, and by nobody else', (_, name, expected) => {
    const heard: Partial<Record<Name, number>> = {}
    for (const [who, client] of Object.entries(cast) as [Name, Client][]) {
      const times = client.all(name).filter(counts).length
      if (times > 0) heard[who] = times
    }
    expect(heard).toEqual(expected)
  })

  test.each(Object.entries(PUSHES))(
    '[PUSH-1] %s holds every field of the document, and where it stands in the log',
    (name, shape) => {
      const data = Object.values(cast)
        .flatMap((client) => client.all(name))
        .at(0)
      expect(keys(data)).toEqual(
        ['id', 'pos', 'seq', 'user', ...(shape.room ? ['room'] : []), ...(shape.also ?? [])].sort(),
      )
      expect(keys(data.user)).toEqual(PERSON[shape.user])
      if (shape.room === 'object') expect(keys(data.room)).toEqual(ROOM)
      if (shape.room === 'id') expect(data.room).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      if (data.visitor) expect(keys(data.visitor)).toEqual(PERSON.visitor)
      if (data.staff) expect(keys(data.staff)).toEqual(PERSON.staff)
      expect(data).toMatchObject({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        seq: expect.any(Number),
        pos: expect.stringMatching(/^\d+$/),
      })
    },
  )

  test('[PUSH-4] supervisors get all messages so far as message objects', () => {
    const { contents, user, visitor } = cast.sue.all('agent_new_chat')[0]
    expect(user).toMatchObject({ id: 'ann', role_id: 3, organisation_id: acme.org })
    expect(visitor).toMatchObject({ id: 'vera', name: 'vera', is_anonymous: false })
    expect(contents.map(keys)).toEqual([MESSAGE, MESSAGE])
    expect(contents).toMatchObject([
      { sequence_num: 1, sender: null, type_id: 1, chat_id: rooms[0], content: { text: 'one' }, updated_at: null },
      { sequence_num: 2, sender: null, type_id: 1, chat_id: rooms[0], content: { text: 'two' }, updated_at: null },
    ])
  })

  test('[PUSH-14] whoever hears a chat hears its events in their order', () => {
    for (const client of Object.values(cast)) {
      const seqs = client.heard
        .filter(({ data }) => (data.room?.id ?? data.room) === rooms[0])
        .map(({ data }) => data.seq as number)
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    }
    const others = cast.vera.heard.filter(({ name }) => !/^own_|_init$/.test(name))
    expect(others.map(({ name }) => name).slice(0, 5)).toEqual([
      'staff_join_room',
      'staff_send',
      'staff_being_taken_over_chat',
      'staff_send',
      'staff_leave',
    ])
  })

  test('[TIME-1] people and messages count seconds, chats milliseconds', () => {
    const now = Date.now()
    const { user, room } = cast.ann.all('append_unclaimed_chats')[0]
    expect(Math.abs(user.created_at - now / 1000)).toBeLessThan(120)
    expect(Math.abs(room.created_at - now)).toBeLessThan(120_000)
    expect(Math.abs(cast.ada.all('agent_new_chat')[0].contents[0].created_at - now / 1000)).toBeLessThan(120)
  })

  test('[ORG-2] another organisation hears nothing of it all', () => {
    expect(new Set(cast.eve.heard.map(({ name }) => name))).toEqual(
      new Set(['staff_init', 'visitor_goes_online', 'visitor_goes_offline']),
    )
    expect(cast.eve.all('visitor_goes_online').map(({ user }) => user.id)).toEqual(['fence-1'])
  })

  test('[INIT-1] staff are told once what there is, visitors what is theirs', () => {
    for (const who of ['ada', 'sue', 'ann', 'bob', 'eve'] as const) expect(cast[who].all('staff_init')).toHaveLength(1)
    expect(cast.vera.all('staff_init')).toEqual([])
    expect(cast.vera.all('visitor_init')).toMatchObject([{ chat: null, user: { id: 'vera' } }])
    const names = cast.vic.heard.map(({ name }) => name)
    expect(names).toEqual(['visitor_init', 'own_chat_opened', 'staff_join_room'])
  })
})
