import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
let acme: Company
let other: Company
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(() => {
  acme = company(server)
  other = company(server)
})
afterEach(() => {
  acme.close()
  other.close()
})

const yes = [true, null]
const no = (why: string) => [false, expect.stringMatching(why)]

describe('claiming', () => {
  test('[CHAT-4] of many who claim at once exactly one wins, the others are told who', async () => {
    const staff = await Promise.all(
      Array.from({ length: 12 }, (_, i) => acme.join('agent', `a${i}`, {}, { display_name: `Agent ${i}` })),
    )
    const { room } = await acme.chat('vera', staff[0] as (typeof staff)[0])
    const answers = await Promise.all(staff.map((one) => one.ask('staff_join', { room })))
    const winner = answers.findIndex(([result]) => result === true)
    expect(answers[winner]).toEqual(yes)
    for (const [i, answer] of answers.entries()) {
      if (i !== winner) expect(answer).toEqual([false, `chat already claimed by Agent ${winner}`])
    }
    expect(await staff[winner]?.ask('staff_join', { room }), 'a claimer who repeats it').toEqual(yes)
  })

  test(
    '[CHAT-7] messages that race with a claim reach the agent or the transcript they get, none is ' + 'lost or refused',
    async () => {
      const [sue, ann] = await Promise.all([acme.join('supervisor', 'sue'), acme.join('agent', 'ann')])
      const { visitor, room } = await acme.chat('vera', ann, { n: 0 })
      const sent = Array.from({ length: 20 }, (_, i) =>
        visitor.ask(i % 2 ? 'visitor_msg' : 'visitor_msg_unclaimed', { n: i + 1 }),
      )
      const claim = ann.ask('staff_join', { room })
      for (const answer of await Promise.all([...sent, claim])) expect(answer).toEqual(yes)
      await acme.fence(ann, sue)
      const before = (await sue.told('agent_new_chat')).contents.map(({ content }: { content: object }) => content)
      const after = ann.all('visitor_send').map(({ content }) => content)
      expect([...before, ...after]).toEqual(Array.from({ length: 21 }, (_, n) => ({ n })))
    },
  )
})

describe('taking over', () => {
  test('[CHAT-10] only a strictly higher rank takes over', async () => {
    const [ann, bob, sue, sid, ada] = await Promise.all([
      acme.join('agent', 'ann'),
      acme.join('agent', 'bob'),
      acme.join('supervisor', 'sue'),
      acme.join('supervisor', 'sid'),
      acme.join('admin', 'ada'),
    ])
    const { room } = await acme.chat('vera', ann)
    expect(await sue.ask('take_over_chat', { room })).toEqual(no('^chat-not-claimed: '))
    await ann.ask('staff_join', { room })
    expect(await bob.ask('take_over_chat', { room })).toEqual(no('^rank-too-low: .* ann '))
    expect(await sue.ask('take_over_chat', { room })).toEqual(yes)
    expect(await sid.ask('take_over_chat', { room })).toEqual(no('^rank-too-low: .* sue '))
    expect(await ann.ask('take_over_chat', { room })).toEqual(no('^rank-too-low: .* sue '))
    expect(await ada.ask('take_over_chat', { room })).toEqual(yes)
  })

  test(
    '[PUSH-15] from the take-over on the replaced agent hears no message of that chat and can do ' + 'nothing in it',
    async () => {
      const [ann, sue] = await Promise.all([acme.join('agent', 'ann'), acme.join('supervisor', 'sue')])
      const { visitor, room } = await acme.chat('vera', ann)
      await ann.ask('staff_join', { room })
      await sue.ask('take_over_chat', { room })
      expect(await ann.ask('staff_msg', { room, content: { text: 'still here' } })).toEqual(
        no('^not-serving-chat: .*sue'),
      )
      expect(await ann.ask('staff_leave_room', { room })).toEqual(no('^not-serving-chat: .*sue'))
      await visitor.ask('visitor_msg', { text: 'and now?' })
      await sue.ask('staff_msg', { room, content: { text: 'now me' } })
      await sue.ask('staff_leave_room', { room })
      await acme.fence(ann)
      const names = ann.heard.map(({ name }) => name)
      expect(names.slice(names.indexOf('staff_being_taken_over_chat') + 1)).toEqual([
        'visitor_goes_online',
        'visitor_goes_offline',
      ])
    },
  )
})

describe('who may do what', () => {
  test('[ROLE-1] visitors do nothing that is for staff, staff nothing that is for visitors', async () => {
    const [ann, vic] = await Promise.all([acme.join('agent', 'ann'), acme.join('visitor', 'vic')])
    const { visitor, room } = await acme.chat('vera', ann)
    for (const [name, data] of [
      ['staff_join', { room }],
      ['take_over_chat', { room }],
      ['change_chat_priority', { room, severity_level: 1 }],
      ['staff_msg', { room, content: {} }],
      ['staff_leave_room', { room }],
    ] as const) {
      for (const one of [visitor, vic]) expect(await one.ask(name, data), name).toEqual(no('^staff-only: '))
    }
    for (const name of ['visitor_first_msg', 'visitor_msg_unclaimed', 'visitor_msg']) {
      expect(await ann.ask(name, { text: 'hi' })).toEqual(no('^visitors-only: '))
    }
    expect(await ann.ask('visitor_leave_room')).toEqual(no('^visitors-only: '))
  })

  test('[ROLE-2] teachers and students have no part in the desk', async () => {
    const ann = await acme.join('agent', 'ann')
    const { room } = await acme.chat('vera', ann)
    for (const role of ['teacher', 'student']) {
      const somebody = await acme.join(role, role)
      expect(await somebody.ask('staff_join', { room })).toEqual(no('^staff-only: '))
      expect(await somebody.ask('visitor_first_msg', { text: 'hi' })).toEqual(no('^visitors-only: '))
      expect(somebody.heard).toEqual([])
    }
  })

  test('[ORG-1] a chat of another organisation is answered like one that does not exist', async () => {
    const [ann, eve] = await Promise.all([acme.join('agent', 'ann'), other.join('admin', 'eve')])
    const { visitor, room } = await acme.chat('vera', ann)
    for (const [name, more] of [
      ['staff_join', {}],
      ['take_over_chat', {}],
      ['staff_leave_room', {}],
      ['staff_msg', { content: {} }],
      ['change_chat_priority', { severity_level: 1 }],
      ['replay_chat', {}],
    ] as const) {
      const foreign = await eve.ask(name, { room, ...more })
      expect(foreign, name).toEqual([false, 'no-such-chat: there is no chat with this id'])
      expect(await eve.ask(name, { room: 'nowhere', ...more }), name).toEqual(foreign)
    }
    expect(await visitor.ask('visitor_msg', { text: 'undisturbed' })).toEqual(yes)
  })
})

test('[CHAT-2] a visitor has one open chat; after it has ended the same socket opens another', async () => {
  const ann = await acme.join('agent', 'ann')
  const { visitor, room } = await acme.chat('vera', ann)
  expect(await visitor.ask('visitor_first_msg', { text: 'once more' })).toEqual(no('^chat-already-open: '))
  await visitor.ask('visitor_leave_room', null)
  expect(await visitor.ask('visitor_msg', { text: 'anybody?' })).toEqual(no('^chat-closed: '))
  expect(await visitor.ask('visitor_leave_room')).toEqual(no('^chat-closed: '))
  expect(await visitor.ask('visitor_first_msg', { text: 'new' })).toEqual(yes)
  const next = await ann.told('append_unclaimed_chats', ({ contents }) => contents[0].text === 'new')
  expect(next.room.id).not.toBe(room)
})

test('[CHAT-17] a visitor without any chat writes to nobody', async () => {
  const vera = await acme.join('visitor', 'vera')
  for (const name of ['visitor_msg', 'visitor_msg_unclaimed'])
    expect(await vera.ask(name, { text: 'hi' })).toEqual(no('^no-open-chat: '))
  expect(await vera.ask('visitor_leave_room')).toEqual(no('^no-open-chat: '))
})

describe('flags', () => {
  test('[INIT-3] flagged_chats are the 15 most recently flagged, open or closed, newest first', async () => {
    const ann = await acme.join('agent', 'ann')
    const rooms: string[] = []
    for (let i = 0; i < 17; i++) {
      const { visitor, room } = await acme.chat(`v${i}`, ann)
      rooms.push(room)
      expect(await ann.ask('change_chat_priority', { room, severity_level: 1 + i })).toEqual(yes)
      if (i % 3 === 0) await visitor.ask('visitor_leave_room')
    }
    await ann.ask('change_chat_priority', { room: rooms[4], severity_level: 50 })
    await ann.ask('change_chat_priority', { room: rooms[10], severity_level: 0 })
    const expected = [4, 16, 15, 14, 13, 12, 11, 9, 8, 7, 6, 5, 3, 2, 1].map((i) => rooms[i])
    const ids = (list: { room: { id: string } }[]) => list.map(({ room }) => room.id)
    expect(ids((await (await acme.join('agent', 'bob')).told('staff_init')).flagged_chats)).toEqual(expected)
    const last = await ann.told(
      'chat_has_changed_priority',
      ({ room }) => room.id === rooms[10] && room.severity_level === 0,
    )
    expect(ids(last.flagged_chats), 'the push holds the whole list').toEqual(expected)
  })

  test('[CHAT-11] a chat that has ended is flagged and unflagged, and everybody is told', async () => {
    const [ann, sue] = await Promise.all([acme.join('agent', 'ann'), acme.join('supervisor', 'sue')])
    const { visitor, room } = await acme.chat('vera', ann)
    await visitor.ask('visitor_leave_room')
    await ann.ask('change_chat_priority', { room, severity_level: 7 })
    await sue.told(
      'chat_has_changed_priority_for_supervisor',
      (data) => data.room.id === room && data.room.severity_level === 7,
    )
    await ann.ask('change_chat_priority', { room })
    const data = await sue.told('chat_has_changed_priority_for_supervisor', (one) => one.room.severity_level === 0)
    expect(data).toMatchObject({ flagged_chats: [], visitor: { id: 'vera' }, user: { id: 'ann' } })
  })

  test('[LIMIT-4] a severity is a whole number from 0 to 100; left out it is 0', async () => {
    const ann = await acme.join('agent', 'ann')
    const { room } = await acme.chat('vera', ann)
    for (const severity_level of [-1, 101, 1.5, '1', null, true, [1], Number.NaN]) {
      expect(await ann.ask('change_chat_priority', { room, severity_level })).toEqual(
        no('^bad-request: severity_level'),
      )
    }
    for (const severity_level of [100, 0, undefined])
      expect(await ann.ask('change_chat_priority', { room, severity_level })).toEqual(yes)
  })
})

test(
  '[PUSH-16] every socket of a person hears what is addressed to them, and somebody is offline when ' +
    'the last one is gone',
  async () => {
    const sue = await acme.join('supervisor', 'sue')
    const [one, two] = [await acme.join('agent', 'ann'), await acme.join('agent', 'ann')]
    const { visitor, room } = await acme.chat('vera', sue)
    const tab = await acme.join('visitor', 'vera')
    await one.ask('staff_join', { room })
    for (const socket of [one, two]) await socket.told('own_chat_claimed', (data) => data.room.id === room)
    await tab.ask('visitor_msg', { text: 'from the other tab' })
    for (const socket of [one, two])
      await socket.told('visitor_send', ({ content }) => content.text === 'from the other tab')
    await two.ask('staff_msg', { room, content: { text: 'to both' } })
    for (const socket of [visitor, tab]) await socket.told('staff_send', ({ content }) => content.text === 'to both')
    one.close()
    tab.close()
    await acme.fence(sue)
    expect(sue.all('staff_goes_online')).toHaveLength(1)
    expect(sue.all('staff_goes_offline')).toEqual([])
    expect(await visitor.ask('visitor_msg', { text: 'still open' })).toEqual(yes)
    await two.told('visitor_send', ({ content }) => content.text === 'still open')
    two.close()
    await sue.told('staff_goes_offline', ({ user }) => user.id === 'ann')
    await visitor.told('staff_leave')
  },
)
