import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { type Company, company } from './company.ts'

/** `FUZZ_FRAMES=1000000 vitest run test/contracts/support-chat-fuzz.test.ts` takes some minutes. */
const FRAMES = Number(process.env.FUZZ_FRAMES ?? sized(5_000, 20_000))
const PER_CONNECTION = 40

let server: TestServer
let acme: Company
let ann: Client
let vera: Client
beforeAll(async () => {
  server = await startServer({
    env: { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000', DISCONNECT_GRACE_MS: '0' },
  })
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  const { visitor, room } = await acme.chat('vera', ann)
  vera = visitor
  await ann.ask('staff_join', { room })
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

const name = fc.constantFrom(
  'visitor_first_msg',
  'visitor_msg',
  'visitor_leave_room',
  'staff_join',
  'replay_chat',
  'error',
  '__proto__',
  'disconnect',
)
const number = fc.oneof(fc.nat({ max: 20 }), fc.constantFrom('-1', '1e9', '99999999999999999999', 'NaN')).map(String)
/** From nearly right to noise: wrong packet types, namespaces, ack ids, attachments that never come, cut JSON. */
const frame: fc.Arbitrary<string | Uint8Array<ArrayBuffer>> = fc.oneof(
  fc.tuple(name, fc.jsonValue()).map(([event, value]) => `42${JSON.stringify([event, value])}`),
  fc.tuple(number, name, fc.jsonValue()).map(([id, event, value]) => `42${id}${JSON.stringify([event, value])}`),
  fc
    .tuple(number, name)
    .map(([count, event]) => `45${count}-${JSON.stringify([event, { _placeholder: true, num: 0 }])}`),
  fc
    .tuple(fc.nat({ max: 3 }), fc.jsonValue())
    .map(([num, value]) => `451-["visitor_msg",{"_placeholder":true,"num":${num}},${JSON.stringify(value)}]`),
  fc
    .tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.string())
    .map(([engine, packet, rest]) => `${engine}${packet}${rest}`),
  fc
    .tuple(
      fc.constantFrom('40', '41', '42', '43', '44', '45', '46'),
      fc.constantFrom('/admin,', '/,', '/ws/messages,', ''),
      fc.string(),
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(name, fc.nat({ max: 40 }))
    .map(([event, cut]) => `42${JSON.stringify([event, { content: { text: 'cut' } }])}`.slice(0, cut)),
  fc.constantFrom(
    '',
    '0',
    '1',
    '2',
    '2probe',
    '3',
    '4',
    '5',
    '6',
    '42[]',
    '42[null]',
    '42{}',
    '42[[]]',
    '42["connect"]',
    `42["visitor_msg",${'['.repeat(2_000)}`,
  ),
  fc.string({ maxLength: 200, unit: 'binary' }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => new Uint8Array(bytes)),
)

/** Sends the frames on one connection that is let in; resolves when it is closed, by either side. */
async function attack(frames: readonly (string | Uint8Array<ArrayBuffer>)[], token: string): Promise<number> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()))
  const letIn = new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      if (String(data).startsWith('0')) socket.send(`40${JSON.stringify({ token })}`)
      if (String(data).startsWith('40')) resolve()
    })
  })
  await Promise.race([letIn, closed])
  let sent = 0
  for (const one of frames) {
    if (socket.readyState !== WebSocket.OPEN) break
    socket.send(one)
    sent++
    if (sent % 4 === 0) await new Promise(setImmediate)
  }
  socket.close()
  await closed
  return sent
}

/**
 * The same over polling: each frame is the body of a request; the connection ends at the first bad one, so each gets
 * its own.
 */
async function attackByPolling(body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const url = `${server.url}/socket.io/?EIO=4&transport=polling`
  const opened = await (await fetch(url)).text()
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string }
  const headers = { 'Content-Type': 'text/plain' }
  await (await fetch(`${url}&sid=${sid}`, { method: 'POST', body, headers })).text()
  await (await fetch(`${url}&sid=${sid}`, { method: 'POST', body: '1', headers })).text()
}

test(`[GUARD-3] ${FRAMES} malformed frames disturb nobody`, { timeout: 4 * PATIENCE_MS + FRAMES }, async () => {
  let sent = 0
  for (let seed = 1; sent < FRAMES; seed++) {
    const frames = fc.sample(frame, { numRuns: PER_CONNECTION * 20, seed })
    const tokens = await Promise.all(['visitor', 'agent'].map((role) => tokenFor(role, `mallory-${role}`, acme.org)))
    const attacks = Array.from({ length: 20 }, (_, i) =>
      attack(frames.slice(i * PER_CONNECTION, (i + 1) * PER_CONNECTION), tokens[i % 2] as string),
    )
    attacks.push(...frames.slice(0, 5).map((one) => attackByPolling(one).then(() => 1)))
    const chatting = vera.ask('visitor_msg', { seed })
    for (const count of await Promise.all(attacks)) sent += count
    expect(await chatting, `seed ${seed}`).toEqual([true, null])
    await ann.told('visitor_send', ({ content }) => content.seed === seed)
  }
  expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ data: { alive: true } })
  expect(server.output()).not.toMatch(/unhandled|uncaught|"level":[56]0/i)
})
