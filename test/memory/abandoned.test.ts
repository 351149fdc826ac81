import { expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type ChatRow, liveChats } from '../../projections/chats.ts'
import { abandonedChats } from '../../src/contracts/support-chat/abandoned-chats.ts'
import { chatsModel } from '../../src/contracts/support-chat/chats-model.ts'
import { onlineModel } from '../../src/delivery/online-model.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Entities } from '../../src/runtime/entities.ts'
import { manualClock } from '../support/clock.ts'

const MANY = 1_000

test('[MEM-6] what a start finds abandoned is ended in portions, not all at once', async () => {
  const log = memoryLog({ codec: codec(eventSchemas), now: () => 1 })
  const chats = chatsModel(log)
  const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }
  for (let n = 0; n < MANY; n++) {
    const event = { type: 'ChatOpened', org: 'acme', visitorId: `v${n}`, visitor, content: {} } as const
    const recorded = { id: `e${n}`, stream: `chat-${n}`, revision: 0, position: BigInt(n), at: 1, event }
    chats.adopt(String(n), liveChats.fold(undefined, recorded) as ChatRow)
  }
  const asked = new Set<string>()
  const all = Promise.withResolvers<void>()
  let underWay = 0
  let most = 0
  const ask = async (_: string, room: string) => {
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    underWay--
    asked.add(room)
    if (asked.size === MANY) all.resolve()
    return { kind: 'done', id: null, seq: 1, position: null, events: [] }
  }
  const policy = abandonedChats({
    ...{ chats, online: onlineModel(log), clock: manualClock(), onStaffGone: 'close' },
    entities: { ask } as unknown as Entities,
    onError: (error) => all.reject(error),
  })
  policy.start?.()
  await all.promise
  expect(most).toBe(64)
  await policy.stop()
})
