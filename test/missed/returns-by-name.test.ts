import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import { type Client, connect } from '../support/client.ts'
import { confirmed } from '../support/confirmed.ts'
import { type Line, openLine } from '../support/line.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

// socket.io-client 4.6 and newer says by itself in whose place it comes: `pid`, which every connection is given.

let server: TestServer
let acme: Company
let ann: Client
let data: string
let room: string
const lines: Line[] = []
const env = { DISCONNECT_GRACE_MS: '60000' }

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-'))
  server = await startServer({ data, env })
})
afterAll(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})
beforeEach(async () => {
  acme = company(server)
  ann = await acme.join('agent', 'ann')
})
afterEach(async () => {
  acme.close()
  for (const line of lines.splice(0)) await line.close()
})

interface Tab {
  readonly client: Client
  readonly line: Line
}

/** One of vera's tabs, behind a line of its own. */
async function tab(): Promise<Tab> {
  const line = await openLine(server.url)
  lines.push(line)
  const client = await connect(line.url, {
    ...{ auth: { token: await tokenFor('visitor', 'vera', acme.org) }, reconnection: true },
    ...{ reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 500 },
  })
  onTestFinished(() => client.close())
  return { client, line }
}
async function chat({ client }: Tab): Promise<void> {
  await client.ask('visitor_first_msg', { text: 'hello' })
  room = (await ann.told('append_unclaimed_chats')).room.id
  expect(await ann.ask('staff_join', { room })).toEqual([true, null])
}
const says = async (text: string): Promise<void> =>
  expect(await ann.ask('staff_msg', { room, content: { text } })).toEqual([true, null])
const back = ({ client }: Tab): Promise<void> => new Promise((connected) => client.socket.once('connect', connected))
const gone = ({ client }: Tab): Promise<unknown> => new Promise((left) => client.socket.once('disconnect', left))
const texts = ({ client }: Tab): unknown[] => client.all('staff_send').map(({ content }) => content.text)
const heard = ({ client }: Tab, text: string) => client.told('staff_send', ({ content }) => content.text === text)
const settled = ({ client }: Tab): Promise<void> => confirmed(client, acme, data)

test('[MISSED-8] of several tabs, lost at different moments, each is told exactly what it has missed', async () => {
  const tabs = [await tab(), await tab(), await tab()] as const
  await chat(tabs[0])
  await says('all')
  for (const one of tabs) await heard(one, 'all')
  for (const one of tabs) await settled(one)
  const said = ['all']
  for (const [n, one] of tabs.entries()) {
    const left = gone(one)
    one.line.down()
    await left
    said.push(`without ${n}`)
    await says(`without ${n}`)
    for (const other of tabs.slice(n + 1)) await heard(other, `without ${n}`)
    for (const other of tabs.slice(n + 1)) await settled(other)
  }
  for (const one of [...tabs].reverse()) {
    one.line.mend() // the last one first
    await back(one)
    await heard(one, 'without 2')
  }
  await says('last')
  for (const one of tabs) await heard(one, 'last')
  for (const one of tabs) expect(texts(one)).toEqual([...said, 'last'])
})

test('[MISSED-8] a network that changes at every moment, and a server that is killed, double nothing', async () => {
  const one = await tab()
  await chat(one)
  const said: string[] = []
  for (let round = 0; round < 8; round++) {
    said.push(`${round}`)
    await says(`${round}`)
    await heard(one, `${round}`)
    await settled(one)
    one.line.freeze()
    one.line.drop() // the server hears nothing of it
    if (round % 4 === 2) {
      server.kill('SIGKILL')
      await server.ended
      server = await startServer({ data, env })
      one.line.leadTo(server.url)
      acme = company(server, 'websocket', acme.org)
      ann = await acme.join('agent', 'ann')
    }
    said.push(`away ${round}`)
    await says(`away ${round}`)
    one.line.mend()
    await back(one)
    if (round % 3 === 1) {
      // Lost again before it can have heard who it is now: it comes in the place of the same one once more.
      one.line.freeze()
      one.line.drop()
      one.line.mend()
      await back(one)
    }
    await heard(one, `away ${round}`)
  }
  await says('last')
  await heard(one, 'last')
  expect([...new Set(texts(one))]).toEqual([...said, 'last'])
  // What reached the one that was lost at once, and whose pong did not get through, is told again.
  const twice = texts(one).filter((text, n, all) => all.indexOf(text) !== n)
  expect(twice.filter((text) => !['away 1', 'away 4', 'away 7'].includes(String(text)))).toEqual([])
})

test('[MISSED-8] a new tab that was taken for one that is away takes nothing from it', async () => {
  const phone = await tab()
  await chat(phone)
  await says('one')
  await heard(phone, 'one')
  await settled(phone)
  const left = gone(phone)
  phone.line.down()
  await left
  await says('two')
  const laptop = await tab()
  await says('three')
  await heard(laptop, 'three')
  phone.line.mend()
  await back(phone)
  await heard(phone, 'three')
  expect(texts(phone)).toEqual(['one', 'two', 'three'])
  expect(texts(laptop)).toEqual(['two', 'three'])
})

test('[MISSED-8] what it names is looked for among its own only', async () => {
  const vera = await tab()
  await chat(vera)
  await says('one')
  await heard(vera, 'one')
  const { socket } = vera.client
  for (const pid of [socket.id, 'x y', '', 7, null, 'a'.repeat(1_000), '!']) {
    const token = await tokenFor('visitor', 'mallory', acme.org)
    const mallory = await connect(server.url, { auth: { token, pid, offset: '0' } })
    expect(mallory.all('staff_send')).toEqual([])
    mallory.close()
  }
  await settled(vera)
  const left = gone(vera)
  vera.line.down()
  await left
  await says('two')
  vera.line.mend()
  await back(vera)
  await heard(vera, 'two')
  expect(texts(vera)).toEqual(['one', 'two'])
})
