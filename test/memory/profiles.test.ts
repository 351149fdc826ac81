import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event, Role } from '../../machines/kernel.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'

const MANY = 10_500

test('[MEM-2] of accounts whose owners never came the newest are in memory; who is online or staff stays', async () => {
  const log = memoryLog({ codec: codec(eventSchemas), now: () => 1 })
  const profiles = new ProfileCache(log)
  const introduced = (id: string, role: Role): Event =>
    ({ type: 'PersonIntroduced', org: 'acme', id, role, profile: { name: id }, issuedAt: 0, at: 1 }) as Event
  const record = async (id: string, role: Role): Promise<void> => {
    const meta = { correlationId: randomUUID(), by: 'system' }
    await log.append(`person-acme.${id}`, -1, [{ id: randomUUID(), event: introduced(id, role), meta }])
    for await (const [recorded] of log.read(`person-acme.${id}`)) if (recorded) profiles.onEvent(recorded)
  }
  const of = (id: string) => ({ org: 'acme', id })
  await record('online', 'student')
  profiles.keep(of('online'))
  await record('named', 'agent')
  expect(profiles.has(of('named'))).toBe(true)
  await record('idle', 'agent')
  for (let n = 0; n < MANY; n++) await record(`s${n}`, 'student')
  expect(profiles.size).toBe(10_002)
  expect(['online', 'named', 'idle', 's0', `s${MANY - 1}`].map((id) => profiles.get(of(id))?.profile.name)).toEqual([
    ...['online', 'named', undefined, undefined, `s${MANY - 1}`],
  ])
  expect((await profiles.fetch(of('s0')))?.profile.name).toBe('s0') // whoever is named is read again
  expect(profiles.size).toBe(10_002)
  profiles.forget(of('online'))
  expect(profiles.get(of('online'))).toBeUndefined()
})
