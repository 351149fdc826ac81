import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatNames } from '../support/chat-names.ts'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
let acme: Company
let ann: Client
let vera: Client
let room: string
beforeAll(async () => {
  // The limit on requests would answer most of this before the shapes are looked at.
  server = await startServer({ env: { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000' } })
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  ;({ visitor: vera, room } = await acme.chat('vera', ann))
  await ann.ask('staff_join', { room })
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

/** The conversation of the others goes on, and the process has nothing to complain about. */
async function undisturbed(): Promise<void> {
  const text = `${ann.heard.length}`
  expect(await vera.ask('visitor_msg', { text })).toEqual([true, null])
  await ann.told('visitor_send', ({ content }) => content.text === text)
  // An unknown name is told as it is (GUARD-4), and may be `error`.
  const lines = server.output().split('\n')
  const said = lines.filter((line) => !line.includes('an event that nobody listens to')).join('\n')
  expect(said).not.toMatch(/unhandled|uncaught|"level":[56]0|error/i)
}

const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)
const proto = JSON.parse('{"__proto__":{"room":"x","content":{}},"constructor":{"prototype":{"admin":true}}}')
const shapes: readonly (readonly unknown[])[] = [
  [],
  [undefined],
  [null],
  [true],
  [false],
  [0],
  [-1],
  [1.5],
  [1e308],
  [''],
  ['x'],
  ['x'.repeat(100_000)],
  ['{"room":"x"}'],
  [[]],
  [[[]]],
  [[null, null]],
  [{}],
  [{ room: null }],
  [{ room: 7 }],
  [{ room: '' }],
  [{ room: '../../etc/passwd' }],
  [{ room: 'a.b' }],
  [{ room: 'x'.repeat(65) }],
  [{ room: 'ж' }],
  [{ room: '\u0000' }],
  [{ room: ['x'] }],
  [{ room: { id: 'x' } }],
  [{ room: { toString: 'x' } }],
  [{ room: '__proto__', content: {} }],
  [{ room: 'constructor', content: { a: 1 } }],
  [{ room: 'nowhere', content: 'text', severity_level: 'high', speed: -1 }],
  [{ room: 'nowhere', content: [], severity_level: 1e9, speed: 'fast' }],
  [{ room: 'nowhere', content: null, severity_level: {}, speed: 0 }],
  [proto],
  [Buffer.from('binary')],
  [{ room: Buffer.from('binary'), content: Buffer.from('binary') }],
  [{ room: 'nowhere', content: { file: Buffer.alloc(1_000) } }],
  [deep],
  [{ room: 'nowhere', content: { deep } }],
  [{ length: -1, toJSON: 1, valueOf: null, callback: null }],
  [{ room: 'nowhere', client_id: 'x'.repeat(129) }],
  [{ content: {}, client_id: { $ne: null } }],
  [{}, {}, {}, {}, {}],
  [null, null, null],
  ['a', 'b', 'c', 1, 2, 3],
]

describe.each(chatNames)('%s', (name) => {
  test(`[GUARD-1] answers ${shapes.length} shapes that it does not expect with a reason, from any role`, async () => {
    const hostile = company(server)
    const staff = await hostile.join('admin', 'mallory')
    const visitor = await hostile.join('visitor', 'mallory2')
    for (const client of [staff, visitor]) {
      const answers = await Promise.all(shapes.map((shape) => client.ask(name, ...shape)))
      for (const [i, answer] of answers.entries()) {
        const what = `${name} ${JSON.stringify(shapes[i])?.slice(0, 100)}`
        expect(answer, what).toHaveLength(2)
        if (answer[0] !== true) expect(answer, what).toEqual([false, expect.stringMatching(/^[a-z-]+: ./)])
        expect(String(answer[1]), what).not.toMatch(/^internal/)
      }
      for (const shape of shapes) client.socket.emit(name, ...shape) // the same again without an ack
      expect(client.socket.connected).toBe(true)
    }
    await hostile.fence(staff)
    hostile.close()
    await undisturbed()
  })
})

test('[GUARD-2] unknown names are ignored, whatever they are called, and counted', async () => {
  const mallory = await acme.join('visitor', 'mallory')
  const unknownSoFar = async () =>
    Number(/^lyceum_unknown_events_total (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1] ?? 0)
  const before = await unknownSoFar()
  const names = [
    'nonsense',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'error',
    'message',
    'staff_init',
    '',
    '*',
    'ping',
    ' ',
  ]
  for (const name of names)
    mallory.socket.emit(name, { room }, () => expect.unreachable('an unknown event was answered'))
  expect(await mallory.ask('visitor_leave_room')).toEqual([false, expect.stringMatching(/^no-open-chat/)])
  expect(await unknownSoFar()).toBe(before + names.length)
  expect(mallory.socket.connected).toBe(true)
  await undisturbed()
})

test('[LIMIT-6] a frame of more than 2.5 MB ends the connection that sent it, and no other', async () => {
  const mallory = await acme.join('visitor', 'mallory')
  const gone = new Promise((resolve) => mallory.socket.once('disconnect', resolve))
  mallory.socket.emit('visitor_first_msg', { text: 'x'.repeat(2_600_000) })
  await gone
  await undisturbed()
})

test('[LIMIT-5] somebody who asks too much is told to wait, and others are not', async () => {
  const strict = await startServer({ env: { RATE_PER_PERSON: '5' } })
  const calm = company(strict)
  const sue = await calm.join('supervisor', 'sue')
  const { visitor } = await calm.chat('vera', sue)
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => visitor.ask('visitor_msg', { i })))
  const refused = answers.filter(([result]) => result === false)
  expect(refused.length).toBeGreaterThan(20)
  for (const answer of refused)
    expect(answer).toEqual([false, expect.stringMatching(/^rate-limited: too many requests; try again in 1 s$/)])
  const { room: theirs } = await sue.told('append_unclaimed_chats')
  expect(await sue.ask('staff_join', { room: theirs.id })).toEqual([true, null])
  calm.close()
  await strict.stop()
})
