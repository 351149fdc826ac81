import { setImmediate as soon } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { type VisitorChats, visitorChats } from '../../src/contracts/support-chat/visitor-chats.ts'
import type { Outcome } from '../../src/delivery/connection.ts'
import { openLane } from '../../src/gateway/sockets/lane.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'

const by: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const at = 1_700_000_000_000
const visitor = { name: null, email: null, createdAt: at, updatedAt: null }
const open: ChatCommand = { type: 'OpenChat', visitor, content: { text: 'hi' }, by, at }
const write: ChatCommand = { type: 'Write', content: { text: 'more' }, by, at }
const leave: ChatCommand = { type: 'LeaveChat', by, at }

let log: Log
let entities: Entities
let chats: VisitorChats

/** A node that has forgotten everything but the log. */
const fresh = (): VisitorChats => {
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: Date.now, idleMs: 60_000 })
  return visitorChats(entities, log)
}
beforeEach(() => {
  log = memoryLog({ codec: codec(eventSchemas), now: () => at })
  chats = fresh()
})
afterEach(async () => {
  await entities.stop()
  await log.close()
})

const codeOf = ({ answer }: Outcome): string => (answer instanceof Refusal ? answer.code : 'done')

test('[CHAT-2] of two tabs that open a chat at once one does', async () => {
  const answers = await Promise.all([chats.open(open, {}), chats.open(open, {})])
  expect(answers.map(codeOf).sort()).toEqual(['chat-already-open', 'done'])
})

test('[CHAT-1] the next chat is another one, however many there were and whoever remembers', async () => {
  const seen = new Set<string | null>()
  for (let n = 0; n < 9; n++) {
    const node = n % 2 ? chats : fresh()
    seen.add((await node.open(open, {})).about)
    expect(codeOf(await node.open(open, {}))).toBe('chat-already-open')
    expect(codeOf(await node.askLatest(leave, {}))).toBe('done')
  }
  expect(seen.size).toBe(9)
})

test('[ONCE-10] a call that is repeated when the next chat is open still means the chat before', async () => {
  const first = await chats.open(open, { clientId: 'open' })
  const wrote = await chats.askLatest(write, { clientId: 'write' })
  const left = await chats.askLatest(leave, { clientId: 'leave' })
  const next = await chats.open(open, { clientId: 'open again' })
  expect(next.about).not.toBe(first.about)
  for (const node of [chats, fresh()]) {
    expect(await node.askLatest(leave, { clientId: 'leave' })).toEqual({
      ...left,
      answer: { ...left.answer, events: [] },
    })
    expect(await node.askLatest(write, { clientId: 'write' })).toEqual({
      ...wrote,
      answer: { ...wrote.answer, events: [] },
    })
    expect(await node.open(open, { clientId: 'open' })).toEqual({ ...first, answer: { ...first.answer, events: [] } })
    expect(codeOf(await node.askLatest(write, {}))).toBe('done')
  }
})

test.each(Array.from({ length: 10 }, (_, round) => round))(
  '[ORDER-1] messages that an ended chat sends on to the next one, of another node, keep their order (%i)',
  async () => {
    const others: Entities[] = []
    const node = (): VisitorChats => {
      const one = openEntities({ log, snapshots: memorySnapshots(), shared: true, now: Date.now, idleMs: 60_000 })
      others.push(one)
      return visitorChats(one, log)
    }
    const [here, there] = [node(), node()]
    await here.open(open, {})
    await here.askLatest(write, {})
    await there.askLatest(leave, {})
    const next = await there.open(open, {})

    const lane = openLane()
    const answers: Promise<Outcome>[] = []
    for (let n = 0; n < 150; n++) {
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
      const message: ChatCommand = { type: 'Write', content: { n }, by, at }
      const named = n % 3 === 1 ? { clientId: `call-${n}` } : {}
      lane.add((entered) => here.askLatest(message, { ...named, entered }).then(resolve, reject))
      answers.push(promise)
      if (Math.random() < 0.2) await soon()
    }
    const rooms = new Set((await Promise.all(answers)).map(({ about, answer }) => `${about} ${answer.kind}`))
    expect(rooms).toEqual(new Set([`${next.about} done`]))
    const written: unknown[] = []
    for await (const batch of log.read(`chat-${next.about}`))
      for (const { event } of batch)
        if (event.type === 'VisitorWrote') written.push((event as { content?: { n?: number } }).content?.n)
    expect(written).toEqual(answers.map((_, n) => n))
    for (const one of others) await one.stop()
  },
)
