import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { codes, type Frame, volley } from '../support/volley.ts'
import { type Company, company } from './company.ts'

const ROUNDS = 20
const rounds = Array.from({ length: ROUNDS }, (_, nth) => nth)

let server: TestServer
let acme: Company
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '100000' } })
})
afterAll(async () => void (await server.stop()))
beforeEach(() => {
  acme = company(server)
})
afterEach(() => acme.close())

let calls = 0
/** Every other message is named, so that half of them take longer to prepare. */
const say = (n: number, event = 'visitor_msg'): Frame => [
  event,
  { content: { n }, ...(n % 2 ? { client_id: `call-${++calls}` } : {}) },
]
const visitor = (id: string, transport = 'websocket'): Promise<Client> =>
  acme.join('visitor', id, { query: { protocol: '2' }, transports: [transport] })
/** What was written in a chat, in its order, by the number that each message holds. */
const written = async (room: string): Promise<number[]> =>
  (await acme.events(room)).flatMap(({ type, data }) => (/Wrote|Opened/.test(type) ? [data.content.n] : []))
const ending = async (room: string): Promise<string> => (await acme.events(room)).at(-1).type

describe.each(['websocket', 'polling'])('a visitor, over %s', (transport) => {
  test('[ORDER-1] messages in one go stand in the order of their frames, named or not', async () => {
    const vera = await visitor('vera', transport)
    for (const nth of rounds) {
      // The first round is the visitor's first chat, the others are later ones.
      const [opened] = await volley(vera, [say(0, 'visitor_first_msg')])
      const sent = Array.from({ length: 6 }, (_, n) => say(n + 1))
      expect(codes(await volley(vera, sent, nth))).toEqual(sent.map(() => 'ok'))
      expect(await written(opened?.place.room)).toEqual([0, 1, 2, 3, 4, 5, 6])
      await vera.ask('visitor_leave_room', {})
    }
  })

  test(
    '[ORDER-1] a last message and the leaving right behind it: the message is in the chat, then it ' + 'ends',
    async () => {
      const vera = await visitor('vera', transport)
      for (const nth of rounds) {
        const [opened] = await volley(vera, [say(0, 'visitor_first_msg')])
        const leave: Frame = ['visitor_leave_room', nth % 2 ? {} : { client_id: `leave-${nth}` }]
        const acks = await volley(vera, [say(1), leave], nth)
        expect(codes(acks)).toEqual(['ok', 'ok'])
        expect(await written(opened?.place.room)).toEqual([0, 1])
        expect(await ending(opened?.place.room)).toBe('ChatClosed')
      }
    },
  )

  test('[ORDER-1] an opening and what is written right behind it, in the first chat and in the next ones', async () => {
    const vera = await visitor('vera', transport)
    for (const nth of rounds) {
      const acks = await volley(vera, [say(0, 'visitor_first_msg'), say(1), say(2), say(3)], nth)
      expect(codes(acks)).toEqual(['ok', 'ok', 'ok', 'ok'])
      expect(await written(acks[0]?.place.room)).toEqual([0, 1, 2, 3])
      if (nth % 2) await vera.ask('visitor_leave_room', {})
      else expect(codes(await volley(vera, [['visitor_leave_room']], nth))).toEqual(['ok'])
    }
  })
})

test('[ORDER-1] what is written between a leaving and an opening belongs to neither chat', async () => {
  const vera = await visitor('vera')
  for (const nth of rounds) {
    const opened = await volley(vera, [say(0, 'visitor_first_msg')])
    const leave: Frame = ['visitor_leave_room', {}]
    const acks = await volley(vera, [say(1), leave, say(2), say(0, 'visitor_first_msg'), say(3), leave], nth)
    expect(codes(acks)).toEqual(['ok', 'ok', 'chat-closed', 'ok', 'ok', 'ok'])
    expect(await written(opened[0]?.place.room)).toEqual([0, 1])
    expect(await written(acks[3]?.place.room)).toEqual([0, 3])
  }
})

test(
  '[ORDER-1] thirty frames of every kind in one go are answered as if each had waited for the one ' + 'before',
  async () => {
    for (const nth of rounds) {
      const name = `vera-${nth}`
      const vera = await visitor(name)
      let state: 'none' | 'open' | 'closed' = 'none'
      let n = 0
      const chats: number[][] = []
      const expected: string[] = []
      const frames = Array.from({ length: 30 }, (): Frame => {
        const dice = Math.random()
        if (dice < 0.1) {
          expected.push('bad-request')
          return ['visitor_msg', 'not an object']
        }
        if (dice < 0.3) {
          expected.push(state === 'open' ? 'chat-already-open' : 'ok')
          n++
          if (state !== 'open') chats.push([n])
          state = 'open'
          return say(n, 'visitor_first_msg')
        }
        const refusal = { none: 'no-open-chat', closed: 'chat-closed', open: 'ok' }[state]
        expected.push(refusal)
        if (dice < 0.45) {
          if (state === 'open') state = 'closed'
          return ['visitor_leave_room', Math.random() < 0.5 ? {} : { client_id: `leave-${nth}-${expected.length}` }]
        }
        n++
        if (state === 'open') chats.at(-1)?.push(n)
        return say(n, dice < 0.7 ? 'visitor_msg' : 'visitor_msg_unclaimed')
      })
      const acks = await volley(vera, frames, nth)
      expect(codes(acks)).toEqual(expected)
      const opened = acks.filter(({ ok }, i) => ok && frames[i]?.[0] === 'visitor_first_msg')
      expect(await Promise.all(opened.map(({ place }) => written(place.room)))).toEqual(chats)
    }
  },
)

test('[ORDER-1] two tabs of one visitor: what each of them writes stands in its own order', async () => {
  for (const nth of rounds) {
    const tabs = await Promise.all([visitor(`vera-${nth}`), visitor(`vera-${nth}`, nth % 2 ? 'polling' : 'websocket')])
    const [opened] = await volley(tabs[0], [say(0, 'visitor_first_msg')])
    const acks = await Promise.all(
      tabs.map((tab, t) =>
        volley(
          tab,
          Array.from({ length: 15 }, (_, i) => say(100 * (t + 1) + i)),
          nth,
        ),
      ),
    )
    expect(new Set(acks.flatMap(codes))).toEqual(new Set(['ok']))
    const all = await written(opened?.place.room)
    for (const t of [1, 2]) {
      const theirs = all.filter((n) => Math.floor(n / 100) === t)
      expect(theirs).toEqual(Array.from({ length: 15 }, (_, i) => 100 * t + i))
    }
  }
})

test(
  '[ORDER-1] two tabs of one visitor that open, write and leave as they like: each chat holds each ' + 'tab’s order',
  async () => {
    for (const nth of rounds) {
      const tabs = await Promise.all([visitor(`vera-${nth}`), visitor(`vera-${nth}`)])
      const frames = (t: number): Frame[] => {
        const from = 100 * (t + 1)
        const leave: Frame = ['visitor_leave_room', {}]
        return [say(from, 'visitor_first_msg'), say(from + 1), say(from + 2), leave, say(from + 3), say(from + 4)]
      }
      const acks = await Promise.all(tabs.map((tab, t) => volley(tab, frames(t), nth)))
      const rooms = new Set(acks.flat().flatMap(({ place }) => (place.room === null ? [] : [place.room as string])))
      const places = new Map<number, string>()
      for (const room of rooms) for (const [i, n] of (await written(room)).entries()) places.set(n, `${room} ${i}`)
      for (const t of [1, 2]) {
        const mine = [...places.keys()].filter((n) => Math.floor(n / 100) === t)
        const inEach = Map.groupBy(mine, (n) => places.get(n)?.split(' ')[0])
        for (const [room, numbers] of inEach) expect(numbers, room).toEqual(numbers.toSorted((a, b) => a - b))
      }
    }
  },
)

test('[ORDER-1] staff: a claim, what is written, a priority and the leaving in one go', async () => {
  const [ann, vera] = [await acme.join('agent', 'ann', { query: { protocol: '2' } }), await visitor('vera')]
  for (const nth of rounds) {
    const [opened] = await volley(vera, [say(0, 'visitor_first_msg')])
    const { room } = opened?.place ?? {}
    const write = (n: number): Frame => [
      'staff_msg',
      { room, content: { n }, ...(n % 2 ? { client_id: `${room}${n}` } : {}) },
    ]
    const flag: Frame = ['change_chat_priority', { room, severity_level: 7 }]
    const sent: Frame[] = [['staff_join', { room }], write(1), write(2), flag, write(3), ['staff_leave_room', { room }]]
    const acks = await volley(ann, sent, nth)
    expect(codes(acks)).toEqual(sent.map(() => 'ok'))
    expect(acks.map(({ place }) => place.seq)).toEqual([1, 2, 3, 4, 5, 6])
  }
})

test('[ORDER-1] a replay and the stop right behind it: nothing runs on', async () => {
  const [sue, vera] = [await acme.join('supervisor', 'sue', { query: { protocol: '2' } }), await visitor('vera')]
  const [opened] = await volley(vera, [say(0, 'visitor_first_msg'), say(1), say(2)])
  const { room } = opened?.place ?? {}
  for (const nth of rounds) {
    const stop: Frame = ['stop_replay', { room }]
    expect(codes(await volley(sue, [['replay_chat', { room, speed: 0.01 }], stop], nth))).toEqual(['ok', 'ok'])
    expect(codes(await volley(sue, [stop]))).toEqual(['no-replay'])
  }
})
