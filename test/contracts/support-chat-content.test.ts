import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
let acme: Company
let ann: Client
let vera: Client
let room: string
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  ;({ visitor: vera, room } = await acme.chat('vera', ann, { text: 'first' }))
  await ann.ask('staff_join', { room })
})
afterEach(() => acme.close())

const yes = [true, null]
const arrived = (i = 0) =>
  ann.told('visitor_send', (data) => data === ann.all('visitor_send')[i]).then(({ content }) => content)
const nested = (levels: number): object => (levels === 1 ? {} : { in: nested(levels - 1) })
/** An object that takes exactly this many bytes as JSON. */
const sized = (bytes: number, letter = 'x') => {
  const frame = Buffer.byteLength(JSON.stringify({ text: '' }))
  const width = Buffer.byteLength(letter)
  return { text: letter.repeat((bytes - frame) / width) + 'x'.repeat((bytes - frame) % width) }
}

describe('content', () => {
  test.each([
    ['a plain object', { text: 'hi', timestamp: 1572526821849 }],
    ['the document’s own example, which has a field called content', { content: 'Hello', timestamp: 1572526821849 }],
    ['only a text called content', { content: 'Hello' }],
    ['an empty object', {}],
    [
      'names that mean something to JavaScript',
      JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":null,"type":"x","by":"y"}'),
    ],
    [
      'letters of all kinds',
      { text: '\u0000 \ud83d\ude00 \ud800 \u2028 ‮ "\\', '': 1, 'ключ.$x': [0, -0.5, 1e300, true, null] },
    ],
    ['content beside other fields', { content: { text: 'in' }, more: 1 }],
  ])('[BODY-1] is stored and passed on as it is: %s', async (_, content) => {
    expect(await vera.ask('visitor_msg', content)).toEqual(yes)
    expect(JSON.stringify(await arrived())).toBe(JSON.stringify(content))
    expect(await ann.ask('staff_msg', { room, content })).toEqual(yes)
    expect(JSON.stringify((await vera.told('staff_send')).content)).toBe(JSON.stringify(content))
    expect(JSON.stringify((await acme.events(room)).at(-1)?.data.content)).toBe(JSON.stringify(content))
  })

  test('[BODY-2] an object with nothing but content (and client_id) is a wrapper and taken off', async () => {
    await vera.ask('visitor_msg', { content: { text: 'wrapped' } })
    expect(await arrived(0)).toEqual({ text: 'wrapped' })
    await vera.ask('visitor_msg', { content: { text: 'named' }, client_id: 'c1' })
    expect(await arrived(1)).toEqual({ text: 'named' })
    const vic = await acme.join('visitor', 'vic')
    await vic.ask('visitor_first_msg', { content: { text: 'first, wrapped' } })
    const { contents } = await ann.told('append_unclaimed_chats', ({ user }) => user.id === 'vic')
    expect(contents).toEqual([{ text: 'first, wrapped' }])
  })

  test('[LIMIT-1] may take 64 KiB as JSON in UTF-8, and not one byte more', async () => {
    for (const letter of ['x', 'ж', '😀']) {
      expect(await vera.ask('visitor_msg', sized(65_536, letter))).toEqual(yes)
      const refused = [
        false,
        expect.stringMatching(/^bad-request: content may take at most 65536 bytes as JSON, got 65537/),
      ]
      expect(await vera.ask('visitor_msg', sized(65_537, letter))).toEqual(refused)
      expect(await ann.ask('staff_msg', { room, content: sized(65_537, letter) })).toEqual(refused)
    }
    expect(await ann.ask('staff_msg', { room, content: sized(65_536) })).toEqual(yes)
  })

  test('[LIMIT-2] may be 32 levels deep, and not one more', async () => {
    expect(await vera.ask('visitor_msg', nested(32))).toEqual(yes)
    expect(await ann.ask('staff_msg', { room, content: nested(32) })).toEqual(yes)
    const refused = [false, expect.stringMatching(/^bad-request: content may be at most 32 levels deep/)]
    expect(await vera.ask('visitor_msg', nested(33))).toEqual(refused)
    expect(await ann.ask('staff_msg', { room, content: nested(33) })).toEqual(refused)
    expect(await vera.ask('visitor_msg', { list: JSON.parse(`${'['.repeat(32)}${']'.repeat(32)}`) })).toEqual(refused)
  })

  test('[LIMIT-3] that is no object is refused, and nothing of what is refused is recorded', async () => {
    for (const content of [undefined, null, 'text', 7, true, [], [{}], Buffer.from('x'), { file: Buffer.from('x') }]) {
      expect(await vera.ask('visitor_msg', content)).toEqual([
        false,
        expect.stringMatching(/^bad-request: content must be /),
      ])
      expect(await ann.ask('staff_msg', { room, content })).toEqual([
        false,
        expect.stringMatching(/^bad-request: content must be /),
      ])
    }
    await vera.ask('visitor_msg', sized(70_000))
    expect((await acme.events(room)).map(({ type }) => type)).toEqual(['ChatOpened', 'ChatClaimed'])
  })
})

describe('acks', () => {
  test('[ACK-1] bring exactly two values, yes or no and why', async () => {
    expect(await vera.ask('visitor_msg', { text: 'hi' })).toEqual([true, null])
    const no = await vera.ask('visitor_msg', 'hi')
    expect(no).toEqual([false, 'bad-request: content must be a JSON object, got string'])
  })

  test.each([
    ['query', { query: { protocol: '2' } }, {}],
    ['auth', {}, { protocol: 2 }],
  ])(
    '[ACK-2] bring a third value, where it stands, to whoever asks for protocol 2 in the %s',
    async (_, options, auth) => {
      const token = await tokenFor('visitor', 'vera', acme.org)
      const two = await acme.join('visitor', 'vera', { ...options, auth: { token, ...auth } })
      const [result, error, place] = await two.ask('visitor_msg', { text: 'hi' })
      const { id, seq, pos } = await ann.told('visitor_send')
      expect([result, error, place]).toEqual([true, null, { room, id, seq, pos }])
      expect(await two.ask('visitor_msg', 'hi')).toEqual([
        false,
        expect.any(String),
        { room: null, code: 'bad-request' },
      ])
      expect(await two.ask('visitor_first_msg', {})).toEqual([
        false,
        expect.any(String),
        { room, code: 'chat-already-open' },
      ])
    },
  )

  test('[ACK-3] may be left out', async () => {
    vera.socket.emit('visitor_msg', { text: 'no ack' })
    expect(await arrived()).toEqual({ text: 'no ack' })
    vera.socket.emit('visitor_msg', 'nonsense')
    vera.socket.emit('visitor_leave_room')
    await ann.told('visitor_leave')
  })
})
