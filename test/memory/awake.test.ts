import { afterEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'

const MOST = 5_000
const by: Party = { id: 'ann', org: 'acme', role: 'system' }
let entities: Entities
let now = 1

function open(): void {
  const log = memoryLog({ codec: codec(eventSchemas), now: () => now })
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: () => now, idleMs: 3_600_000 })
}
afterEach(() => entities.stop())

test('[MEM-5] however many are needed at once, only so many entities stay awake', async () => {
  open()
  const ids = Array.from({ length: 3 * MOST }, (_, n) => `c${n}`)
  const take = async (id: string) => entities.ask('counter', id, { type: 'TakeNumber', key: id, by, at: now })
  for (let n = 0; n < ids.length; n += 500) {
    await Promise.all(ids.slice(n, n + 500).map(take))
    expect(entities.awake()).toBeLessThanOrEqual(MOST + 500)
  }
  await entities.state('counter', 'one more')
  expect(entities.awake()).toBeLessThanOrEqual(MOST)
  // Whoever was put to sleep knows what it knew.
  expect((await entities.state('counter', 'c0')).revision).toBe(0)
})

test('[MEM-5] an entity that knows what nothing in the log tells stays awake for a while', async () => {
  open()
  const student: Party = { id: 'stu', org: 'acme', role: 'student' }
  const nothing = { type: 'Leave', how: 'closed', graceMs: 0, by: student, at: now } as const
  await entities.ask('presence', 'acme.stu', nothing, { clientId: 'k', payload: 1 })
  const wake = async (name: string) => {
    for (let n = 0; n < 2 * MOST; n++) await entities.state('counter', `${name}${n}`)
  }
  await wake('a')
  const reused = await entities.remembered('presence', 'acme.stu', nothing, { clientId: 'k', payload: 2 })
  expect(reused).toMatchObject({ code: 'client-id-reused' })
  now += 60_000
  await wake('b')
  expect(await entities.remembered('presence', 'acme.stu', nothing, { clientId: 'k', payload: 2 })).toBeUndefined()
})
