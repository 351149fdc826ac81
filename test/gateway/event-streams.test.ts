import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { toStreams } from '../../src/contracts/projects/rooms.ts'
import { type EventStreams, eventStreams } from '../../src/gateway/http/event-streams.ts'
import { listen } from '../../src/gateway/http/listen.ts'
import { memoryLeases } from '../../src/presence/memory.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'

const eve: Party = { id: 'eve', org: 'acme', role: 'agent' }

interface Trial {
  readonly clock: ManualClock
  readonly streams: EventStreams
  readonly leases: ReturnType<typeof memoryLeases>
  /** A reader; `paused`: one who takes nothing. */
  open(paused?: boolean): Promise<{ readonly response: IncomingMessage; text(): string }>
}

async function trial(goodForMs = 3_600_000): Promise<Trial> {
  const clock = manualClock()
  const leases = memoryLeases()
  const streams = eventStreams({
    ...{ leases, clock, pushed() {}, follower: { position: () => 7n, pos: () => '700' } },
    onError(error) {
      throw error
    },
  })
  const http = createServer((_, response) =>
    streams.open({
      response,
      hearer: { kind: 'app', party: eve, query: {} },
      ...{ after: undefined, unknown: null, goodUntil: clock.now() + goodForMs },
      async *catchUp() {},
    }),
  )
  const url = await listen(http, '127.0.0.1', 0)
  onTestFinished(() => {
    streams.end()
    http.closeAllConnections()
    http.close()
  })
  return {
    ...{ clock, streams, leases },
    async open(paused = false) {
      const [response] = (await once(get(url), 'response')) as [IncomingMessage]
      let text = ''
      response.on('error', () => {})
      if (!paused) response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      return { response, text: () => text }
    },
  }
}
const tell = ({ streams }: Trial, data: object) => streams.push(toStreams('acme', 'eve'), 'action_project', data)

test('[PROJECT-15] a comment comes every 15 s, as long as somebody reads', async () => {
  const it = await trial()
  const { response, text } = await it.open()
  await expect.poll(text).toBe('retry: 2000\nid: 700\n\n')
  it.clock.advance(14_999)
  tell(it, { n: 1 })
  await expect.poll(text).toMatch(/event: action_project\ndata: \{"n":1\}\n\n$/)
  expect(text()).not.toContain(':\n\n')
  it.clock.advance(1)
  await expect.poll(text).toMatch(/\n\n:\n\n$/)
  expect(await it.leases.count(['stream acme.eve'])).toEqual([1])
  response.destroy()
  await expect.poll(() => it.streams.size()).toBe(0)
  await expect.poll(() => it.leases.count(['stream acme.eve'])).toEqual([0])
  it.clock.advance(15_000)
  expect(it.clock.pending()).toBe(0)
})

test('[PROJECT-15] a reader who takes nothing is cut off; another one hears everything', async () => {
  const it = await trial()
  await it.open(true)
  const reader = await it.open()
  const large = { text: 'x'.repeat(200_000) }
  for (let n = 0; n < 200 && it.streams.size() === 2; n++) {
    tell(it, large)
    await new Promise(setImmediate)
  }
  await expect
    .poll(() => {
      it.clock.advance(15_000)
      return it.streams.size()
    })
    .toBe(1)
  tell(it, { last: true })
  await expect.poll(reader.text).toMatch(/"last":true/)
})

test('[PROJECT-14] a stream ends with the token that it was asked for with', async () => {
  const it = await trial(10_000)
  const { response } = await it.open()
  const ended = once(response, 'end')
  it.clock.advance(10_000)
  await ended
})
