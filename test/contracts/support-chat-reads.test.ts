import { setImmediate as soon } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { type ChatRow, chats as chatsView } from '../../projections/chats.ts'
import { chatsModel } from '../../src/contracts/support-chat/chats-model.ts'
import { eventLines } from '../../src/contracts/support-chat/event-pages.ts'
import { supportChatInbound } from '../../src/contracts/support-chat/inbound.ts'
import { chatList } from '../../src/contracts/support-chat/list.ts'
import { ownChats } from '../../src/contracts/support-chat/own-chats.ts'
import { partInChat } from '../../src/contracts/support-chat/part-in-chat.ts'
import { replays } from '../../src/contracts/support-chat/replays.ts'
import { placeOf } from '../../src/contracts/support-chat/wire.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log, Recorded, StreamOptions } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Answer } from '../../src/runtime/answer.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews } from '../../src/views/runner.ts'
import type { Json, ScanOptions } from '../../src/views/store.ts'
import { manualClock } from '../support/clock.ts'
import { fakeConnection } from '../support/connection.ts'

const visitor = { name: null, email: null, createdAt: 0, updatedAt: null }
const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const sue: Party = { id: 'sue', org: 'acme', role: 'supervisor' }
const rival: Party = { id: 'rita', org: 'rival', role: 'admin' }

/** A node's log, which remembers what was read of it, with one chat of so many messages. */
async function desk(messages: number) {
  const inner = memoryLog({ codec: codec(eventSchemas), now: () => 1 })
  const reads: { stream: string; options: StreamOptions | undefined }[] = []
  const log: Log = {
    ...inner,
    read(stream, options) {
      reads.push({ stream, options })
      return inner.read(stream, options)
    },
  }
  const open = () => {
    const entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: () => 1, idleMs: 60_000 })
    onTestFinished(() => entities.stop())
    return entities
  }
  const first = open()
  const say = (command: object) => first.ask('chat', 'theirs', { by: vera, at: 1, ...command } as ChatCommand)
  await say({ type: 'OpenChat', visitor, content: { n: 1 } })
  for (let n = 2; n <= messages; n++) await say({ type: 'Write', content: { n } })
  const isOurs = ownChats({ log, chats: { get: () => undefined } }) // asleep: it is in nobody's memory
  reads.length = 0
  return { log, reads, entities: open(), isOurs }
}

const codeOf = (answer: Answer | object): string | null => (answer instanceof Refusal ? answer.code : null)

test('[ORG-4] to answer for a foreign chat no more is read than for none', async () => {
  const { reads, ...parts } = await desk(50)
  const readFor = async (room: string, by: Party) => {
    const answer = await partInChat(parts, room, by)
    return { code: codeOf(answer), reads: reads.splice(0).map(({ options }) => options) }
  }
  const unknown = await readFor('nowhere', rival)
  expect(unknown).toEqual({ code: 'no-such-chat', reads: [{ limit: 1 }, { limit: 1, isCertain: true }] })
  expect(await readFor('theirs', rival)).toEqual(unknown)
  expect(await readFor('theirs', { ...vera, id: 'vic' })).toEqual(unknown)
  expect((await readFor('theirs', vera)).code).toBeNull()
  const nobody = () => Promise.reject(new Error('nothing is asked of it'))
  const { rows } = supportChatInbound({
    ...parts,
    handOn: nobody,
    tellContents: nobody,
    visitorChats: { askLatest: nobody, open: nobody, movedSince: nobody },
    replays: replays({ ...parts, clock: manualClock(), onError: () => {} }),
    queueRoom: () => ({}),
    perWriter: { take: () => true },
  })
  const rita = fakeConnection(rival)
  const ask = async (name: keyof typeof rows, room: string) => {
    const call = rows[name]?.([{ room, staff_id: 'ann', content: {} }], rita, 1)
    if (call === undefined || call instanceof Refusal) throw new Error(`${name} is not asked well`)
    const { answer } = await call(() => {})
    return { code: codeOf(answer), reads: reads.splice(0).map(({ options }) => options) }
  }
  for (const name of ['staff_join', 'staff_msg', 'take_over_chat', 'assign_chat', 'replay_chat'])
    for (const room of ['nowhere', 'theirs']) expect(await ask(name, room), `${name} ${room}`).toEqual(unknown)
  expect(await readFor('theirs', rival), 'also when it is awake').toEqual(unknown)
})

test('[HTTP-17] lines are read as they are taken', async () => {
  const { log, reads } = await desk(400)
  const part = { upTo: Number.POSITIVE_INFINITY, isInternal: true }
  const lines = (await eventLines(log, { room: 'theirs', part, after: -1, limit: 1_000 })).getReader()
  for (let n = 0; n < 20; n++) await soon()
  const before = reads.length
  expect(before).toBeLessThan(7)
  let text = ''
  for (let next = await lines.read(); !next.done; next = await lines.read()) text += Buffer.from(next.value)
  expect(text.trimEnd().split('\n')).toHaveLength(400)
})

test('[HTTP-15] a list reads the rows that it shows and one more, and they hold nothing that was said', async () => {
  const { log, entities } = await desk(3)
  for (let n = 0; n < 9; n++)
    await entities.ask('chat', `no-${n}`, { type: 'OpenChat', visitor, content: { n: 'secret' }, by: vera, at: 1 })
  const store = memoryViews()
  const views = runViews({ log, store, projections: [chatsView], onAlarm: () => {} })
  onTestFinished(() => views.stop())
  await views.ready()
  const asked: number[] = []
  const counted = {
    reached: views.reached,
    scan(view: string, options: ScanOptions) {
      asked.push(options.limit)
      return views.scan(view, options)
    },
  }
  const list = chatList(counted, () => entities.lastPosition())
  const filter = { org: 'acme', state: undefined, staff: undefined, visitor: undefined }
  const newest = await list.list(filter, 1, undefined)
  const oldest = await list.list({ ...filter, order: 'oldest' }, 1, undefined)
  const rooms = [newest, oldest].map(({ rows }) => rows.map(([room]) => room))
  expect(rooms, 'all of one moment, so by id').toEqual([['theirs'], ['no-0']])
  expect(asked).toEqual([2, 2])
  expect(oldest.next, 'a page of an opening ends so, too').toBe(placeOf(...(oldest.rows[0] as [string, ChatRow])))
  const rest = await list.list({ ...filter, order: 'oldest' }, 4, oldest.next)
  expect(rest.rows.map(([room]) => room)).toEqual(['no-1', 'no-2', 'no-3', 'no-4'])
  expect(JSON.stringify(rest.rows)).not.toContain('secret')
})

test('[INIT-8] a node that starts from the rows of an older release tells what the log tells', async () => {
  const { log, entities } = await desk(3)
  const claims = { type: 'ClaimChat', by: { id: 'ann', org: 'acme', role: 'agent' }, at: 1 } as const
  await entities.ask('chat', 'theirs', claims)
  await entities.ask('chat', 'waits', { type: 'OpenChat', visitor, content: { n: 1 }, by: vera, at: 1 })
  const store = memoryViews()
  const rows = new Map<string, ChatRow>()
  let last: Recorded | undefined
  for await (const batch of log.readAll())
    for (const recorded of batch) {
      const key = chatsView.key(recorded) ?? ''
      rows.set(key, chatsView.fold(rows.get(key), recorded) as ChatRow)
      last = recorded
    }
  const changes = [...rows].map(([key, row]) => {
    const { asked: _, servedSince: __, ...older } = row
    return { key, row: { ...older, waiting: [] } as unknown as Json, added: chatsView.index(key, row), removed: [] }
  })
  await store.commit('chats.v1002.first', null, last as Recorded, changes)
  await store.promote('chats', null, 'chats.v1002.first')
  const model = chatsModel(log)
  await model.seed(store, log)
  expect(model.get('theirs')).toMatchObject({ asked: 3, servedSince: 3, staffId: 'ann' })
  expect(model.get('waits')).toMatchObject({ asked: 1, servedSince: null, waiting: [{ content: { n: 1 } }] })
})

test('[REPLAY-6] [REPLAY-8] one replay a connection, four a person', async () => {
  const { log, entities, isOurs } = await desk(2)
  const errors: unknown[] = []
  const all = replays({ log, entities, isOurs, clock: manualClock(), onError: (error) => errors.push(error) })
  onTestFinished(all.forget)
  const unread = () => fakeConnection(sue, { drained: () => new Promise(() => {}) })
  const tabs = Array.from({ length: 5 }, unread)
  const codes: (string | null)[] = []
  for (const tab of tabs) codes.push(codeOf(await all.start(tab, 'theirs', 1)))
  expect(codes).toEqual([null, null, null, null, 'too-many-replays'])
  const [first, second, , , last] = tabs as [(typeof tabs)[0], (typeof tabs)[0], unknown, unknown, (typeof tabs)[0]]
  expect(codeOf(await all.start(first, 'theirs', 2)), 'takes the place of the one before').toBeNull()
  expect(codeOf(all.stop(first, 'theirs'))).toBeNull()
  expect(codeOf(all.stop(first, 'theirs'))).toBe('no-replay')
  expect(codeOf(await all.start(last, 'theirs', 1))).toBeNull()
  second.close()
  expect(codeOf(await all.start(first, 'theirs', 1))).toBeNull()
  for (const tab of tabs) expect(tab.heard, 'nothing is told to whoever does not read').toEqual([])
  expect(errors).toEqual([])
})
