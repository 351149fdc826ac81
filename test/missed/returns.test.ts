import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import { type Client, connect } from '../support/client.ts'
import { confirmed, receiptsIn } from '../support/confirmed.ts'
import { type Line, openLine } from '../support/line.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let acme: Company
let ann: Client
let line: Line
let data: string
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
  line = await openLine(server.url)
  acme = company(server)
  ann = await acme.join('agent', 'ann')
})
afterEach(async () => {
  acme.close()
  await line.close()
})

const back = (client: Client): Promise<void> => new Promise((connected) => client.socket.once('connect', connected))
const gone = (client: Client): Promise<void> => new Promise((left) => client.socket.once('disconnect', () => left()))
const texts = (client: Client): unknown[] => client.all('staff_send').map(({ content }) => content.text)
const says = async (...all: string[]): Promise<void> => {
  for (const text of all) expect(await ann.ask('staff_msg', { room, content: { text } })).toEqual([true, null])
}
const arrived = (client: Client): Promise<void> => confirmed(client, acme, data)

/** As clients older than 4.6 do, and those in other languages. */
const forgetsItsName = ({ socket }: Client): void => {
  ;(socket as unknown as { _pid: string | undefined })._pid = undefined
}

let room = ''
async function served(options = {}): Promise<Client> {
  const vera = await viaLine(options)
  vera.socket.on('disconnect', () => forgetsItsName(vera))
  await vera.ask('visitor_first_msg', { text: 'hello' })
  room = (await ann.told('append_unclaimed_chats')).room.id
  expect(await ann.ask('staff_join', { room })).toEqual([true, null])
  await says('one')
  await vera.told('staff_send')
  await arrived(vera)
  return vera
}
const viaLine = async (options = {}): Promise<Client> => {
  const token = await tokenFor('visitor', 'vera', acme.org)
  const vera = await connect(line.url, {
    ...{ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 500, auth: { token } },
    ...options,
  })
  onTestFinished(() => vera.close())
  return vera
}
/** The server is killed and started again; something is said before vera is back, and after. */
async function killed(vera: Client): Promise<void> {
  line.down()
  server.kill('SIGKILL')
  await server.ended
  server = await startServer({ data, env })
  line.leadTo(server.url)
  acme = company(server, 'websocket', acme.org)
  ann = await acme.join('agent', 'ann')
  await says('three')
  line.mend()
  await back(vera)
  await says('four')
  await vera.told('staff_send', ({ content }) => content.text === 'four')
}

test.each(['websocket', 'polling'])(
  '[MISSED-1] an unchanged client whose line was cut is pushed what it has missed, in order, once (%s)',
  async (transport) => {
    const vera = await served({ transports: [transport] })
    line.down()
    await gone(vera)
    await says('two', 'three')
    line.mend()
    await back(vera)
    await says('four')
    await vera.told('staff_send', ({ content }) => content.text === 'four')
    expect(texts(vera)).toEqual(['one', 'two', 'three', 'four'])
    expect(await ann.ask('staff_leave_room', { room })).toEqual([true, null])
    await vera.told('staff_leave')
  },
)

test(
  '[MISSED-2] what was written to a connection that was dead already is pushed to the one that ' + 'comes after',
  async () => {
    const vera = await served()
    line.freeze()
    await says('two', 'three')
    line.drop() // the phone has another network; the server has heard nothing of it
    line.mend()
    await back(vera)
    await says('four')
    await vera.told('staff_send', ({ content }) => content.text === 'four')
    expect(texts(vera)).toEqual(['one', 'two', 'three', 'four'])
  },
)

test('[MISSED-3] over kill -9 of the server, whether it has told of a message or not', async () => {
  const vera = await served()
  line.freeze()
  await says('two')
  await killed(vera)
  expect(texts(vera)).toEqual(['one', 'two', 'three', 'four'])
})

test('[MISSED-4] of two tabs of one person only the one that was away is told again', async () => {
  const vera = await served()
  const laptop = await acme.join('visitor', 'vera')
  for (let round = 0; round < 3; round++) {
    line.down()
    await gone(vera)
    await says(`away ${round}`)
    line.mend()
    await back(vera)
    await says(`back ${round}`)
    await vera.told('staff_send', ({ content }) => content.text === `back ${round}`)
    await arrived(vera)
  }
  await arrived(laptop)
  const all = [0, 1, 2].flatMap((round) => [`away ${round}`, `back ${round}`])
  expect(texts(laptop)).toEqual(all)
  expect(texts(vera)).toEqual(['one', ...all])
})

test('[MISSED-5] a network that changes every moment, half open each time, loses and doubles nothing', async () => {
  const vera = await served()
  const said: string[] = []
  for (let round = 0; round < 4; round++) {
    line.freeze()
    for (let n = 0; n < 1 + (round % 3); n++) said.push(`${round}.${n}`)
    await says(...said.slice(-1 - (round % 3)))
    line.drop()
    line.mend()
    await back(vera)
    said.push(`between ${round}`)
    await says(`between ${round}`)
    await vera.told('staff_send', ({ content }) => content.text === `between ${round}`)
    await arrived(vera)
  }
  await vera.told('staff_send', ({ content }) => content.text === 'between 3')
  expect(texts(vera)).toEqual(['one', ...said])
})

test.each([2, 3, 4])(
  '[MISSED-5] a line that breaks half open %i times, each as soon as the client is back, loses nothing',
  async (breaks) => {
    const vera = await served()
    line.freeze()
    await says('two')
    line.drop()
    line.mend()
    for (let n = 1; n < breaks; n++) {
      await back(vera)
      line.drop() // before anything of what it has missed can have reached it
    }
    await back(vera)
    await says('three')
    await vera.told('staff_send', ({ content }) => content.text === 'three')
    expect(texts(vera)).toEqual(['one', 'two', 'three'])
  },
)

/** The phone has another network, after the server knows that everything has arrived; it hears nothing of that. */
async function changesNetwork(vera: Client): Promise<void> {
  await arrived(vera)
  line.freeze()
  line.drop()
  line.mend()
  await back(vera)
}

test('[MISSED-7] a dead connection that was stood for is not stood for again by a later return', async () => {
  const vera = await served()
  const said: string[] = []
  for (let round = 0; round < 3; round++) {
    await changesNetwork(vera)
    said.push(`round ${round}`)
    await says(`round ${round}`)
    await vera.told('staff_send', ({ content }) => content.text === `round ${round}`)
    await arrived(vera)
  }
  await says('last')
  await vera.told('staff_send', ({ content }) => content.text === 'last')
  expect(texts(vera)).toEqual(['one', ...said, 'last'])
})

test('[MISSED-7] nor over kill -9 of the server', async () => {
  const vera = await served()
  await changesNetwork(vera)
  await says('two')
  await vera.told('staff_send', ({ content }) => content.text === 'two')
  await arrived(vera)
  await expect.poll(() => receiptsIn(data), { timeout: PATIENCE_MS }).toMatch(standsForOne())
  await killed(vera)
  expect(texts(vera)).toEqual(['one', 'two', 'three', 'four'])
})
/** The silent connection is known as such, and who stands for it: a line of the file of receipts. */
const standsForOne = (): RegExp => new RegExp(`^${acme.org}\\.vera \\S+ \\d+ [^! ]\\S*$`, 'm')

test('[MISSED-7] a tab that is there is not taken for one that was stood for, whoever came meanwhile', async () => {
  const vera = await served()
  const laptop = await acme.join('visitor', 'vera') // stands for nobody: the first one answers
  await says('two')
  await vera.told('staff_send', ({ content }) => content.text === 'two')
  await laptop.told('staff_send', ({ content }) => content.text === 'two')
  await arrived(vera)
  line.freeze()
  await says('three')
  await laptop.told('staff_send', ({ content }) => content.text === 'three')
  await arrived(laptop)
  line.drop()
  line.mend()
  await back(vera)
  await vera.told('staff_send', ({ content }) => content.text === 'three')
  expect(texts(vera)).toEqual(['one', 'two', 'three'])
  expect(texts(laptop)).toEqual(['two', 'three'])
})
