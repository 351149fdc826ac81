import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import type { Party } from '../../machines/kernel.ts'
import { type VisitorChats, visitorChats } from '../../src/contracts/support-chat/visitor-chats.ts'
import { openLane, type Turn } from '../../src/gateway/sockets/lane.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type AdmissionQueue, admissionQueue } from '../../src/runtime/admission-queue.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'

const at = 1_700_000_000_000
const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const profile = { name: null, email: null, createdAt: at, updatedAt: null }
const write = (n: number): ChatCommand => ({ type: 'Write', content: { n }, by: vera, at })

/** How many events each append held, in their order. */
let appended: number[]
/** While it is set, no append is answered. */
let held: PromiseWithResolvers<void> | undefined
let log: Log
let entities: Entities
let chats: VisitorChats
let admission: AdmissionQueue

beforeEach(() => {
  const inner = memoryLog({ codec: codec(eventSchemas), now: () => at })
  appended = []
  held = undefined
  log = {
    ...inner,
    async append(stream, expected, events) {
      appended.push(events.length)
      await held?.promise
      return inner.append(stream, expected, events)
    },
  }
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: Date.now, idleMs: 60_000 })
  chats = visitorChats(entities, log)
  admission = admissionQueue(entities, { inside: 2 })
})
afterEach(async () => {
  await entities.stop()
  await log.close()
})

const openTheNext = () =>
  chats.open({ type: 'OpenChat', visitor: profile, content: { n: 0 }, by: vera, at }, {}).then(({ about }) => about)
const writtenIn = async (room: string | null): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const batch of log.read(`chat-${room}`))
    for (const { event } of batch) if ('content' in event) found.push((event.content as { n: number }).n)
  return found
}

/** All calls of one connection at once, over a log that does not answer until the last one has been heard. */
async function pipelined(turns: readonly ((entered: () => void) => Promise<unknown>)[]): Promise<unknown[]> {
  held = Promise.withResolvers()
  appended.length = 0
  const lane = openLane()
  const answers = turns.map(
    (turn) =>
      new Promise<unknown>((resolve, reject) => {
        const its: Turn = (entered) => turn(entered).then(resolve, reject)
        lane.add(its)
      }),
  )
  for (let i = 0; i < 5; i++) await new Promise((soon) => setImmediate(soon)) // all that can happen before an answer
  held.resolve()
  held = undefined
  return Promise.all(answers)
}

/** Sixty messages, every other one with a `client_id`. */
const halfNamed = () =>
  Array.from({ length: 60 }, (_, n) => (entered: () => void) => {
    const named = n % 2 ? { clientId: `call-${n}` } : {}
    return chats.askLatest(write(n + 1), { ...named, entered })
  })

test(
  '[ORDER-1] no call of a connection waits for the answer to another: behind the first append there ' +
    'is one for all',
  async () => {
    const room = await openTheNext()
    await pipelined(halfNamed())
    expect(appended).toEqual([1, 59])
    expect(await writtenIn(room)).toEqual(Array.from({ length: 61 }, (_, n) => n))
  },
)

test('[ORDER-1] nor in a later chat, where a named call first looks into the chat before', async () => {
  await openTheNext()
  await chats.askLatest({ type: 'LeaveChat', by: vera, at }, {})
  const room = await openTheNext()
  await pipelined(halfNamed())
  expect(appended).toEqual([1, 59])
  expect(await writtenIn(room)).toEqual(Array.from({ length: 61 }, (_, n) => n))
})

test('[ORDER-1] nor for a visitor of whom this node knows no chat', async () => {
  const room = await openTheNext()
  chats = visitorChats(entities, log)
  await pipelined(Array.from({ length: 60 }, (_, n) => (entered) => chats.askLatest(write(n + 1), { entered })))
  expect(appended).toHaveLength(2)
  expect(await writtenIn(room)).toEqual(Array.from({ length: 61 }, (_, n) => n))
})

test('[ORDER-1] what follows an opening waits for it, and is then decided together', async () => {
  const calls = Array.from(
    { length: 60 },
    (_, n) => (entered: () => void) => chats.askLatest(write(n + 1), { entered }),
  )
  const [opened] = (await pipelined([openTheNext, ...calls])) as [string]
  expect(appended).toEqual([1, 1, 59])
  expect(await writtenIn(opened)).toEqual(Array.from({ length: 61 }, (_, n) => n))
})

test(
  '[ORDER-1] standing in the line before a full mailbox is entering: nobody behind waits for an ' + 'answer',
  async () => {
    const room = await openTheNext()
    const calls = Array.from({ length: 10 }, (_, n) => (entered: () => void) => {
      return admission.ask('chat', room ?? '', write(n + 1), { entered })
    })
    let entered = 0
    held = Promise.withResolvers()
    const lane = openLane()
    const answers = calls.map(
      (call) =>
        new Promise((resolve) =>
          lane.add((enter) =>
            call(() => {
              entered++
              enter()
            }).then(resolve),
          ),
        ),
    )
    expect(entered).toBe(10)
    held.resolve()
    await Promise.all(answers)
    expect(entered, 'once each').toBe(10)
    expect(await writtenIn(room)).toEqual(Array.from({ length: 11 }, (_, n) => n))
  },
)
