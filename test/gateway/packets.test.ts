import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { expect, test } from 'vitest'
import { jsonText } from '../../src/delivery/json-text.ts'
import { encodeQuickly } from '../../src/gateway/sockets/packets.ts'

/** Socket.IO's own encoder, and the one that took its place. */
function encoders() {
  const io = new Server(createServer())
  type Encoder = { encode(packet: object): unknown[] }
  const encoder = io.encoder as unknown as Encoder
  const own = encoder.encode.bind(encoder)
  encodeQuickly(io)
  return { own, quick: (packet: object) => encoder.encode(packet) }
}

const [CONNECT, DISCONNECT, EVENT, ACK] = [0, 1, 2, 3]

test.each([
  [
    'an event',
    { type: EVENT, nsp: '/', data: ['staff_send', { text: 'ü "quoted" \u2028', n: 1.5, none: null, left: undefined }] },
  ],
  ['an event without data', { type: EVENT, nsp: '/', data: ['ping'] }],
  ['an event with nothing as its data', { type: EVENT, nsp: '/', data: ['ping', undefined] }],
  ['an event with a text', { type: EVENT, nsp: '/', data: ['said', 'hello'] }],
  ['an event with several data', { type: EVENT, nsp: '/', data: ['said', 1, [2, { three: 3 }]] }],
  ['an event that wants an ack', { type: EVENT, nsp: '/', data: ['said', {}], id: 7 }],
  ['an ack', { type: ACK, nsp: '/', data: [true, null, { room: 'r' }], id: 12 }],
  ['an event of another namespace', { type: EVENT, nsp: '/ws/messages', data: ['said', {}] }],
  ['an ack in another namespace', { type: ACK, nsp: '/ws/messages', data: [true, null], id: 3 }],
  ['a connection', { type: CONNECT, nsp: '/', data: { sid: 'abc' } }],
  ['a disconnection', { type: DISCONNECT, nsp: '/' }],
  ['binary data in another namespace', { type: EVENT, nsp: '/files', data: ['file', Buffer.from('x')] }],
])('%s is written as Socket.IO writes it', (_, packet) => {
  const { own, quick } = encoders()
  expect(quick(structuredClone(packet))).toEqual(own(structuredClone(packet)))
})

test('data that several audiences hear one after another is the same text for each', () => {
  const { own, quick } = encoders()
  const data = { room: 'r', text: 'hello' }
  for (const name of ['visitor_send', 'new_visitor_msg_for_supervisor']) {
    const packet = { type: EVENT, nsp: '/', data: [name, data] }
    expect(quick(packet)).toEqual(own(packet))
  }
})

test('what changed since another turn of the event loop is written anew', async () => {
  const { quick } = encoders()
  const data = { n: 1 }
  quick({ type: EVENT, nsp: '/', data: ['counted', data] })
  await Promise.resolve()
  data.n = 2
  expect(quick({ type: EVENT, nsp: '/', data: ['counted', data] })).toEqual(['2["counted",{"n":2}]'])
})

test('JSON text goes out as it is', () => {
  const { quick } = encoders()
  expect(quick({ type: EVENT, nsp: '/', data: ['staff_init', jsonText('{"pos":"1"}')] })).toEqual([
    '2["staff_init",{"pos":"1"}]',
  ])
})
