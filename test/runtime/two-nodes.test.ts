import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'

const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }
const visitor = { name: null, email: null, createdAt: 1, updatedAt: null }
const SLOW_READ_MS = 200

/** A log far away: an append takes a moment, a read takes long; what is recorded is heard at once. */
function farAway() {
  const log = memoryLog({ codec: codec(eventSchemas), now: Date.now })
  let reads = 0
  const far: Log = {
    ...log,
    async append(...append) {
      await pause(2)
      return log.append(...append)
    },
    async *read(stream, options) {
      reads++
      await pause(SLOW_READ_MS)
      yield* log.read(stream, options)
    },
  }
  return { log, far, reads: () => reads }
}

function node(log: Log): Entities {
  const entities = openEntities({
    ...{ log, snapshots: memorySnapshots(), shared: true, now: Date.now, idleMs: 60_000 },
  })
  let heard = -1n
  const following = log.follow({
    after: 'start',
    each(batch) {
      for (const recorded of batch) {
        heard = recorded.position
        entities.onEvent(recorded)
      }
    },
  })
  entities.listen(() => heard)
  onTestFinished(async () => {
    await entities.stop()
    await following.stop()
  })
  return entities
}

test('[ROOM-14] of two nodes that write to one room at once neither starves, and neither reads', async () => {
  const { log, far, reads } = farAway()
  const [one, other] = [node(far), node(far)]
  const ask = (on: Entities, command: ChatCommand) => on.ask('chat', 'c1', command)
  const at = 1
  await ask(one, { type: 'OpenChat', visitor, content: {}, by: vera, at })
  await ask(other, { type: 'ClaimChat', by: ann, at })
  const before = reads()
  const writes = async (on: Entities, by: Party): Promise<number> => {
    const codes: string[] = []
    for (let volley = 0; volley < 20; volley++) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, n) => ask(on, { type: 'Write', content: { volley, n }, by, at })),
      )
      codes.push(...answers.map((answer) => (answer instanceof Refusal ? answer.code : 'done')))
    }
    expect(new Set(codes)).toEqual(new Set(['done']))
    return codes.length
  }
  expect(await Promise.all([writes(one, vera), writes(other, ann)])).toEqual([80, 80])
  expect(reads() - before).toBeLessThan(5)
  const order: unknown[] = []
  for await (const batch of log.read('chat-c1'))
    for (const { event } of batch)
      if (event.type === 'VisitorWrote') order.push((event as { content?: unknown }).content)
  const sent = Array.from({ length: 80 }, (_, i) => ({ volley: Math.floor(i / 4), n: i % 4 }))
  expect(order).toEqual(sent)
})
