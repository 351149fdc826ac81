import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { type Party, Refusal, refuse } from '../../machines/kernel.ts'
import { categoryIn } from '../../machines/stream.ts'
import type { ChatRow } from '../../projections/chats.ts'
import { abandonedChats } from '../../src/contracts/support-chat/abandoned-chats.ts'
import type { LiveModel } from '../../src/delivery/live-model.ts'
import { codec } from '../../src/log/codec.ts'
import { type Damage, StreamDamaged } from '../../src/log/damaged.ts'
import type { Log } from '../../src/log/log.ts'
import { insist } from '../../src/outbound/insist.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { manualClock } from '../support/clock.ts'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import { setMetadata } from '../support/eventstore-standin-others.ts'
import { aLog, aServer } from '../support/eventstore-standin-world.ts'

const at = 1_700_000_000_000
const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const system: Party = { id: 'abandoned-chats', org: 'acme', role: 'system' }
const visitor = { name: 'Vera', email: null, createdAt: at, updatedAt: null }
const open: ChatCommand = { type: 'OpenChat', visitor, content: { n: 0 }, by: vera, at }
const write: ChatCommand = { type: 'Write', content: { n: 1 }, by: vera, at }
const close: ChatCommand = { type: 'CloseAbandonedChat', gone: 'vera', by: system, at }
const STREAM = 'chat-c1'

interface World {
  readonly server: EventStoreStandin
  readonly log: Log
  readonly damages: Damage[]
  /** Entities that know nothing yet. */
  fresh(): Entities
  reads(): number
}

/** An open chat with two messages, on a shared log. */
async function world(): Promise<World> {
  const server = await aServer()
  const log = await aLog(server, { codec: codec(eventSchemas), ours: (stream) => categoryIn(stream) === 'chat' })
  const damages: Damage[] = []
  const fresh = (): Entities => {
    const onDamaged = (damage: Damage): void => void damages.push(damage)
    const snapshots = memorySnapshots()
    const entities = openEntities({ log, snapshots, shared: true, now: () => at, idleMs: 60_000, onDamaged })
    onTestFinished(() => entities.stop())
    return entities
  }
  const first = fresh()
  for (const command of [open, write]) expect(await codeOf(first, command)).toBe('done')
  return { server, log, damages, fresh, reads: () => server.calls.read ?? 0 }
}

/** Every event is older than the stream shows. */
function aged(server: EventStoreStandin): void {
  setMetadata(server, STREAM, { $maxAge: 60 })
  server.behaviour.clock = () => Date.now() + 61_000
}

async function codeOf(entities: Entities, command: ChatCommand): Promise<string> {
  const answer = await entities.ask('chat', 'c1', command)
  return answer instanceof Refusal ? `${answer.code} ${answer.details.how ?? ''}`.trim() : 'done'
}

describe('[DAMAGED-3] an entity that is awake', () => {
  test.each<readonly [string, (server: EventStoreStandin) => void, string]>([
    ['and whose stream another program writes to', (server) => server.put(STREAM, { type: 'X' }), 'damaged damaged'],
    ['and whose stream is tombstoned', (server) => server.store.tombstone(STREAM), 'damaged deleted'],
  ])('%s refuses commands', async (_, hand, code) => {
    const { server, damages, fresh } = await world()
    const entities = fresh()
    expect(await codeOf(entities, write)).toBe('done')
    hand(server)
    for (let n = 0; n < 3; n++) expect(await codeOf(entities, write)).toBe(code)
    await expect(entities.state('chat', 'c1')).rejects.toBeInstanceOf(StreamDamaged)
    expect(new Set(damages.map(({ stream }) => stream))).toEqual(new Set([STREAM]))
  })

  test.each<readonly [string, (server: EventStoreStandin) => void, string]>([
    ['deleted', (server) => server.store.softDelete(STREAM, at), 'damaged deleted'],
    ['hidden', aged, 'damaged damaged'],
  ])('and behind another node when its stream is %s does not wait for events to appear', async (_, hand, code) => {
    const { server, fresh } = await world()
    const [here, there] = [fresh(), fresh()]
    for (const entities of [here, there]) expect(await codeOf(entities, write)).toBe('done')
    hand(server)
    expect(await codeOf(here, write)).toBe(code)
  })

  test('and whose beginning is hidden goes on until it sleeps', async () => {
    const { server, fresh } = await world()
    const entities = fresh()
    expect(await codeOf(entities, write)).toBe('done')
    setMetadata(server, STREAM, { $maxCount: 1 })
    expect(await codeOf(entities, write)).toBe('done')
    expect(await codeOf(fresh(), write)).toBe('damaged damaged')
  })
})

test('[DAMAGED-3] what is asked of a deleted entity is refused and records nothing', async () => {
  const { server, fresh } = await world()
  server.store.softDelete(STREAM, at)
  const before = server.store.all.length
  const entities = fresh()
  for (const command of [open, write]) expect(await codeOf(entities, command)).toBe('damaged deleted')
  expect(server.store.all).toHaveLength(before)
})

test('[DAMAGED-5] Lyceum itself asks once, and again when a client has found it mended', async () => {
  const { server, fresh, reads } = await world()
  setMetadata(server, STREAM, { $maxCount: 1 })
  const entities = fresh()
  expect(await codeOf(entities, close)).toBe('damaged damaged')
  const before = reads()
  for (let n = 0; n < 5; n++) expect(await codeOf(entities, close)).toBe('damaged damaged')
  expect(reads()).toBe(before)
  setMetadata(server, STREAM, {})
  expect(await codeOf(entities, close)).toBe('damaged damaged')
  expect(await codeOf(entities, write)).toBe('done')
  expect(await codeOf(entities, close)).toBe('done')
})

describe('[DAMAGED-5] what is refused as damaged', () => {
  test('is not tried again by the policy for abandoned chats', async () => {
    const clock = manualClock()
    const asked: string[] = []
    const errors: unknown[] = []
    const row = { org: 'acme', visitorId: 'vera', staffId: null, status: 'unclaimed' }
    const policy = abandonedChats({
      chats: { get: () => row, entries: () => [['c1', row]] } as unknown as LiveModel<ChatRow>, // as far as it looks
      online: { get: () => undefined } as unknown as Parameters<typeof abandonedChats>[0]['online'],
      entities: {
        ask: async (_, id) => {
          asked.push(id)
          return refuse('damaged')
        },
      },
      clock,
      onStaffGone: 'close',
      onError: (error) => void errors.push(error),
    })
    await policy.start?.()
    await nextTurn()
    expect([asked, errors, clock.pending()]).toEqual([['c1'], [], 0])
    await policy.stop()
  })

  test('is passed over by workers', async () => {
    const clock = manualClock()
    const { signal: leaving } = new AbortController()
    const ask = async () => refuse('damaged')
    expect(await insist(ask, { clock, backOff: { firstMs: 1, longestMs: 1 }, leaving })).toBe(true)
    expect(clock.pending()).toBe(0)
  })
})
