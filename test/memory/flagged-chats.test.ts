import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import { chats as chatsView } from '../../projections/chats.ts'
import { chatsModel, flaggedIn, orgOfEnded } from '../../src/contracts/support-chat/chats-model.ts'
import { flaggedRefill } from '../../src/contracts/support-chat/flagged-refill.ts'
import { topFlagged } from '../../src/contracts/support-chat/opening.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews } from '../../src/views/runner.ts'
import { eventually } from '../support/lessons.ts'

const org = 'acme'
const MANY = 450
const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }

/** A node's chats, moved by what is recorded, and the views beside it. */
async function desk() {
  const log = memoryLog({ codec: codec(eventSchemas), now: () => 1 })
  const store = memoryViews()
  const views = runViews({ log, store, projections: [chatsView], onAlarm: () => {}, commitEveryMs: 1 })
  const errors: unknown[] = []
  let position = -1n
  const chats = chatsModel(log, { onShort: (list) => refill(orgOfEnded(list)) })
  const follower = { position: () => position, pos: () => '', until: async () => true }
  const refill = flaggedRefill({ chats, views, follower, onError: (error) => errors.push(error) })
  const following = log.follow({
    after: 'start',
    async each(batch) {
      for (const recorded of batch) {
        if (chats.isMissing(recorded)) await chats.load(recorded)
        chats.onEvent(recorded)
        position = recorded.position
      }
    },
  })
  onTestFinished(async () => {
    await following.stop()
    await views.stop()
    expect(errors).toEqual([])
  })
  const record = async (n: number, first: number, ...events: ChatEvent[]): Promise<void> => {
    const meta = { correlationId: randomUUID(), by: 'system' }
    const proposed = events.map((event) => ({ id: randomUUID(), event, meta }))
    const { position: last } = await log.append(`chat-${n}`, first - 1, proposed)
    await eventually(
      () => position,
      (at) => at >= last,
    )
  }
  const flag = (severity: number): ChatEvent => ({ type: 'ChatFlagged', severity, staffId: 'ann' })
  const opened: ChatEvent = { type: 'ChatOpened', org, visitorId: 'v', visitor, content: {} }
  const shown = () => topFlagged(chats.list(flaggedIn(org))).map(({ room }) => Number((room as { id: string }).id))
  return { log, store, views, chats, record, flag, opened, shown }
}

const fifteenFrom = (n: number): number[] => Array.from({ length: 15 }, (_, i) => n - i)

test('[MEM-3] of flagged chats that have ended the newest are in memory, and what is shown is right', async () => {
  const { log, store, views, chats, record, flag, opened, shown } = await desk()
  await record(0, 0, opened, flag(1)) // goes on
  for (let n = 1; n <= MANY; n++) await record(n, 0, opened, flag(1), { type: 'ChatClosed', reason: 'visitor-left' })
  expect([...chats.entries()].length).toBeLessThanOrEqual(201)
  expect(chats.get('0')).toBeDefined()
  expect(shown()).toEqual(fifteenFrom(MANY))

  // A node that starts knows as many, and the same.
  await views.ready()
  expect(await views.reached(chatsView.name, (await last(log)) ?? 0n, 10_000)).toBe(true)
  const fresh = chatsModel(log)
  await fresh.seed(store, log)
  expect([...fresh.entries()].length).toBe(101)
  expect(fresh.get('0')).toBeDefined()

  // Flags are taken off until those are shown that this node had let go of.
  for (let n = MANY; n > 100; n--) await record(n, 3, flag(0))
  await eventually(shown, (rooms) => String(rooms) === String(fifteenFrom(100)))
  // One that was let go of and is flagged again is shown first.
  await record(1, 3, flag(2))
  expect(shown()).toEqual([1, ...fifteenFrom(100).slice(0, -1)])
})

async function last(log: Awaited<ReturnType<typeof desk>>['log']): Promise<bigint | undefined> {
  for await (const [recorded] of log.readAll({ backwards: true, limit: 1 })) return recorded?.position
  return undefined
}
