import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { Server, type Socket } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { messageFrame, sendPacket, writeFrame } from '../../src/gateway/sockets/quick-frames.ts'
import { type QuickCall, quickCall, readQuickly } from '../../src/gateway/sockets/quick-packets.ts'
import { frameOf, rawSocket } from '../support/raw-socket.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '100000', CHAT_BYTES_PER_MINUTE: '100000000' } })
})
afterAll(() => server.stop())

/** What Socket.IO's own parser makes of a packet. */
function slowCall(text: string): Partial<QuickCall> | undefined {
  let call: Partial<QuickCall> | undefined
  const { _parser: parser } = new Server() as unknown as { readonly _parser: Parser }
  const decoder = new parser.Decoder()
  decoder.on('decoded', ({ type, nsp, data: [name, ...args], id }) => {
    if (type === 2 && nsp === '/') call = { name, args, id }
  })
  decoder.add(text)
  return call
}

interface Parser {
  readonly Decoder: new () => {
    on(event: 'decoded', listener: (packet: Packet) => void): void
    add(text: string): void
  }
}

interface Packet {
  readonly type: number
  readonly nsp: string
  readonly data: [string, ...unknown[]]
  readonly id?: number
}

test('a small call is read as Socket.IO’s own parser reads it', () => {
  const anyId = fc.option(fc.nat({ max: 10 ** 9 }), { nil: undefined })
  const anyArgs = fc.array(fc.jsonValue(), { maxLength: 3 })
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), anyArgs, anyId, (name, args, id) => {
      const text = `2${id ?? ''}${JSON.stringify([name, ...args])}`
      expect(quickCall(Buffer.from(`4${text}`))).toEqual(slowCall(text))
    }),
  )
})

test.each([
  ['of another namespace', '42/ws/messages,1["x"]'],
  ['an ack', '431["x"]'],
  ['a connection', '40{"token":"x"}'],
  ['with binary parts', '451-1["x",{"_placeholder":true,"num":0}]'],
  ['with a reserved name', '421["disconnect"]'],
  ['with a number as its name', '421[1]'],
  ['without a name', '421[]'],
  ['no JSON', '421["x"'],
  ['something behind its JSON', '421["x"]]'],
  ['an object', '421{"x":1}'],
  ['an id that no number holds', `42${'1'.repeat(17)}["x"]`],
  ['a large one', `421["x","${'y'.repeat(20_000)}"]`],
  ['a ping', '2'],
  ['nothing', ''],
])('what is no small call of the default namespace is left to Socket.IO: %s', (_, text) => {
  expect(quickCall(Buffer.from(text))).toBeUndefined()
})

/** A Socket.IO server, and a client of it. */
async function pair(transport: 'websocket' | 'polling') {
  const http = createServer()
  const io = new Server(http, { serveClient: false, perMessageDeflate: false })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: [transport] })
  onTestFinished(async () => {
    client.disconnect()
    await io.close()
  })
  const socket = await new Promise<Socket>((resolve) => io.on('connection', resolve))
  return { client, socket }
}

test('what ws and Engine.IO keep to themselves is where it is looked for', async () => {
  const { client, socket } = await pair('websocket')
  const calls: QuickCall[] = []
  readQuickly(socket.conn, () => (call) => void calls.push(call))
  const heard = new Promise((resolve) => client.on('hello', resolve))
  expect(writeFrame(socket.conn, messageFrame('2["hello",{"n":1}]'))).toBe(true)
  expect(await heard).toEqual({ n: 1 })
  client.emit('quick', 1)
  const slow = new Promise((resolve) => socket.on('slow', resolve))
  client.emit('slow', 'x'.repeat(20_000)) // behind the quick one
  await slow
  expect(calls).toEqual([{ name: 'quick', args: [1], id: undefined }])
})

test('nothing is quick over long polling, and all of it arrives', async () => {
  const { client, socket } = await pair('polling')
  const heard: unknown[] = []
  client.on('told', (n) => heard.push(n))
  const last = new Promise((resolve) => client.on('last', resolve))
  expect(writeFrame(socket.conn, messageFrame('2["told",0]'))).toBe(false)
  for (let n = 1; n <= 3; n++) sendPacket(socket, `2["told",${n}]`)
  sendPacket(socket, '2["last"]')
  await last
  expect(heard).toEqual([1, 2, 3])
})

test('frames of every length, of letters of every width, and in between Engine.IO’s own, arrive in order', async () => {
  const { client, socket } = await pair('websocket')
  const texts = [0, 1, 90, 100, 109, 110, 111, 112, 125, 126, 127, 65_520, 65_530, 65_535, 65_536, 70_000].flatMap(
    (length) => ['x'.repeat(length), 'ü'.repeat(length >> 1), '𝄞'.repeat(length >> 2)],
  )
  const heard: unknown[] = []
  client.on('told', (text) => heard.push(text))
  const last = new Promise((resolve) => client.on('last', resolve))
  for (const [n, text] of texts.entries()) {
    if (n % 3 === 0) socket.emit('told', text)
    else sendPacket(socket, `2${JSON.stringify(['told', text])}`)
  }
  sendPacket(socket, '2["last"]')
  await last
  expect(heard).toEqual(texts)
})

/** Numbers of what was written, in the order in which it was recorded. */
const written = (texts: readonly string[]): readonly number[] =>
  texts.flatMap((text) => {
    if (!text.startsWith('42["own_')) return []
    const [, { content }] = JSON.parse(text.slice(2)) as [string, { content: { n: number } }]
    return [content.n]
  })

const LARGE = 'x'.repeat(20_000)

/** Frames of one message each, or of what is no message, by one of many ways. */
const ways: readonly ((n: number) => readonly (string | Buffer)[])[] = [
  (n) => [`42["visitor_msg",{"n":${n}}]`],
  (n) => [`42${n}["visitor_msg",{"n":${n}}]`],
  (n) => [`42${n}["visitor_msg",{"content":{"n":${n}},"client_id":"c${n}"}]`],
  (n) => [`42${n}["visitor_msg",{"n":${n},"text":"${LARGE}"}]`],
  (n) => [`42["visitor_msg",{"n":${n},"text":"${LARGE}"}]`],
]
const asides: readonly (readonly string[])[] = [
  ['42["disconnect"]'],
  ['42["nobody_knows_this",1]'],
  ['429999999["visitor_msg","refused"]'],
  ['3'],
]

test('[ORDER-1] quick and slow calls of one connection are recorded in the order in which they were sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 8 }), { minLength: 40, maxLength: 80 }), fc.uuid(), async (steps, id) => {
      const socket = await rawSocket(server.url)
      socket.write(frameOf(`40{"token":"${await tokenFor('visitor', id, 'quick')}"}`))
      await socket.text((text) => text.startsWith('40{'))
      const frames: (string | Buffer)[] = ['421000000["visitor_first_msg",{"n":0}]']
      let n = 0
      for (const step of steps) frames.push(...(ways[step]?.(++n) ?? asides[step - ways.length] ?? []))
      frames.push(`422000000["visitor_msg",{"n":${n + 1}}]`)
      socket.write(Buffer.concat(frames.map((frame) => frameOf(frame)))) // pipelined, in one go
      await socket.text((text) => text.startsWith('42["own_msg"') && text.includes(`"n":${n + 1}}`))
      await socket.text((text) => text.startsWith('432000000[true'))
      expect(written(socket.texts)).toEqual(Array.from({ length: n + 2 }, (_, i) => i))
      socket.close()
    }),
    { numRuns: 12 },
  )
})

test('[ORDER-1] so are those that are sent while long polling becomes a WebSocket', async () => {
  const token = await tokenFor('visitor', 'upgrader', 'quick')
  const client = connect(server.url, { auth: { token } })
  onTestFinished(() => void client.disconnect())
  const heard: number[] = []
  client.on('own_chat_opened', ({ content }) => heard.push(content.n))
  client.on('own_msg', ({ content }) => heard.push(content.n))
  let n = 0
  client.emit('visitor_first_msg', { n: n++ })
  do {
    for (let i = 0; i < 5; i++) client.emit('visitor_msg', { n: n++ })
    await client.emitWithAck('visitor_msg', { n: n++ })
  } while (client.io.engine.transport.name === 'polling')
  for (let i = 0; i < 20; i++) client.emit('visitor_msg', { n: n++ })
  await client.emitWithAck('visitor_msg', { n: n++ })
  await new Promise<void>((resolve) => {
    const look = (): void => (heard.length === n ? resolve() : void setImmediate(look))
    look()
  })
  expect(heard).toEqual(Array.from({ length: n }, (_, i) => i))
})

test('[ORDER-6] who writes is answered before they are told what they wrote', async () => {
  const socket = await rawSocket(server.url)
  onTestFinished(() => socket.close())
  socket.write(frameOf(`40{"token":"${await tokenFor('visitor', 'asker', 'quick')}"}`))
  await socket.text((text) => text.startsWith('40{'))
  socket.write(frameOf('420["visitor_first_msg",{"n":0}]'))
  await socket.text((text) => text.startsWith('430'))
  for (let n = 1; n <= 50; n++) socket.write(frameOf(`42${n}["visitor_msg",{"n":${n}}]`))
  await socket.text((text) => text.startsWith('42["own_msg"') && text.includes('"n":50}'))
  const placeOf = (passes: (text: string) => boolean): number => socket.texts.findIndex(passes)
  for (let n = 1; n <= 50; n++)
    expect(placeOf((text) => text.startsWith(`43${n}[`))).toBeLessThan(
      placeOf((text) => text.startsWith('42["own_msg"') && text.includes(`"n":${n}}`)),
    )
})
