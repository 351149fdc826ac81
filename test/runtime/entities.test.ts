import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogue, eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import { type Log, LogUnavailable, type Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Answer, Call } from '../../src/runtime/answer.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots, type SnapshotStore } from '../../src/runtime/snapshots.ts'
import { newerCodec } from '../support/newer-release.ts'

const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }
const bob: Party = { id: 'bob', org: 'acme', role: 'agent' }
const at = 1_700_000_000_000
const visitor = { name: 'Vera', email: null, createdAt: at, updatedAt: null }

const open = (text = 'hi'): ChatCommand => ({ type: 'OpenChat', visitor, content: { text }, by: vera, at })
const write = (text: string, by = vera): ChatCommand => ({ type: 'Write', content: { text }, by, at })
const claim = (by: Party): ChatCommand => ({ type: 'ClaimChat', by, at })

type TextEvent = Recorded['event'] & { readonly content: { readonly text: string } }

let log: Log
let snapshots: SnapshotStore
let entities: Entities
const started: Entities[] = []

function node(on: Log = log, shared = false): Entities {
  const one = openEntities({ log: on, snapshots, shared, now: Date.now, idleMs: 60_000 })
  started.push(one)
  return one
}

beforeEach(() => {
  log = memoryLog({ codec: codec(eventSchemas), now: () => at })
  snapshots = memorySnapshots()
  entities = node()
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
  await log.close()
})

const ask = (command: ChatCommand, call?: Call, on = entities): Promise<Answer> => on.ask('chat', 'c1', command, call)
const codeOf = (answer: Answer): string => (answer instanceof Refusal ? answer.code : 'done')

async function recorded(): Promise<Recorded[]> {
  const all: Recorded[] = []
  for await (const batch of log.read('chat-c1')) all.push(...batch)
  return all
}

describe('a room', () => {
  test('[ROOM-1] answers yes only after the event is in the log', async () => {
    const answer = await ask(open())
    expect(answer).toMatchObject({ kind: 'done', seq: 0 })
    expect((await recorded()).map(({ event }) => event.type)).toEqual(['ChatOpened'])
  })

  test(
    '[ONCE-11] a named call that changed nothing gives its first answer again, whatever has happened ' + 'since',
    async () => {
      await ask(open())
      await ask(claim(ann))
      const first = await ask(claim(ann), { clientId: 'again' })
      expect(first).toMatchObject({ kind: 'done', id: null, seq: 1 })
      await ask({ type: 'TakeOverChat', by: { ...bob, role: 'supervisor' }, at })
      expect(await ask(claim(ann), { clientId: 'again' })).toEqual(first)
      expect(codeOf(await ask(write('x', ann), { clientId: 'again' }))).toBe('client-id-reused')
      expect(await recorded()).toHaveLength(3)
    },
  )

  test('[ONCE-11] one that is known to have been answered and has left no event changes nothing now', async () => {
    await ask(open())
    await ask(write('once'), { clientId: 'w' })
    expect(await ask(write('once'), { clientId: 'w', repeated: true })).toMatchObject({ kind: 'done', seq: 1 })
    expect(await ask(write('never'), { clientId: 'n', repeated: true })).toEqual({
      kind: 'done',
      id: null,
      seq: 1,
      position: null,
      events: [],
    })
    expect(await recorded()).toHaveLength(2)
  })

  test('[ROOM-2] a refusal records nothing', async () => {
    expect(codeOf(await ask(claim(ann)))).toBe('no-such-chat')
    expect(await recorded()).toEqual([])
  })

  test(
    '[ROOM-3] commands that come at once are taken in their order, in few appends, each with its own ' + 'answer',
    async () => {
      let appends = 0
      const counted: Log = {
        ...log,
        append: (...args) => {
          appends++
          return log.append(...args)
        },
      }
      const on = node(counted)
      const answers = await Promise.all([
        ask(open(), {}, on),
        ...Array.from({ length: 200 }, (_, i) => ask(write(String(i)), {}, on)),
      ])
      expect(answers.map((answer) => (answer.kind === 'done' ? answer.seq : -1))).toEqual(
        Array.from({ length: 201 }, (_, i) => i),
      )
      expect(
        (await recorded())
          .slice(1)
          .map(({ event }) => (event as unknown as { content: { text: string } }).content.text),
      ).toEqual(Array.from({ length: 200 }, (_, i) => String(i)))
      expect(appends).toBeLessThan(8)
    },
  )

  test('[SIZE-2] a group larger than one append may be is cut below it, and everybody is answered', async () => {
    const sizes: number[] = []
    const measured: Log = {
      ...log,
      async append(stream, expected, events) {
        const appended = await log.append(stream, expected, events)
        const encoded = events.map((one) => codec(eventSchemas).encode(one))
        sizes.push(encoded.reduce((sum, one) => sum + one.data.length + one.meta.length + 2 * one.type.length, 0))
        return appended
      },
    }
    const on = node(measured)
    await ask(open(), {}, on)
    const text = 'x'.repeat(60_000)
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(write(`${i}${text}`), {}, on)))
    expect(answers.map((answer) => (answer.kind === 'done' ? answer.seq : answer.code))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_048_576)
    expect(sizes.length).toBeLessThan(20)
    const told = (await recorded()).slice(1).map(({ event }) => Number.parseInt((event as TextEvent).content.text, 10))
    expect(told).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('[ROOM-4] one of many claimers who ask at once wins, the others learn who', async () => {
    await ask(open())
    const people = Array.from({ length: 40 }, (_, i): Party => ({ id: `agent${i}`, org: 'acme', role: 'agent' }))
    const answers = await Promise.all(people.map((by) => ask(claim(by))))
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    const losers = answers.filter((answer) => answer instanceof Refusal)
    expect(losers.every(({ code, details }) => code === 'chat-already-claimed' && details.staffId === 'agent0')).toBe(
      true,
    )
  })

  test('[ROOM-5] a full mailbox answers overloaded at once', async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => ask(open())))
    expect(answers.filter((answer) => codeOf(answer) === 'overloaded').length).toBeGreaterThan(0)
    expect(answers.filter((answer) => codeOf(answer) === 'done')).toHaveLength(1)
  })

  test('[ROOM-6] on a conflict it learns what happened and decides again', async () => {
    await ask(open())
    const other = node(log, true)
    await ask(claim(ann), {}, other) // wakes it there, and this node does not hear of it
    const answer = await ask(claim(bob))
    expect(answer).toMatchObject({ code: 'chat-already-claimed', details: { staffId: 'ann' } })
  })

  test.each([
    [20, 'done'],
    [Number.POSITIVE_INFINITY, 'busy'], // gives up after five seconds
  ])('[ROOM-13] that loses %d conflicts one after another answers %s', async (conflicts, code) => {
    await ask(open())
    const rival = node(log, true)
    let lost = 0
    const contended: Log = {
      ...log,
      async append(...args) {
        if (lost < conflicts) {
          await ask({ type: 'FlagChat', severity: 1 + (lost % 2), by: ann, at }, {}, rival) // a chat takes any number
          lost++
        }
        return log.append(...args)
      },
    }
    const on = node(contended)
    expect(codeOf(await ask(write('mine'), {}, on))).toBe(code)
    expect(lost).toBeGreaterThanOrEqual(Math.min(conflicts, 20))
    expect(await recorded()).toHaveLength(1 + lost + (code === 'done' ? 1 : 0))
    conflicts = lost
    expect(codeOf(await ask(write('again'), {}, on)), 'the room is not spoiled').toBe('done')
  })

  test('[ROOM-7] two nodes that write at once lose nothing and leave no gap', async () => {
    await ask(open())
    const other = node(log, true)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => ask(write(String(i)), {}, i % 2 ? entities : other)),
    )
    expect(answers.every(({ kind }) => kind === 'done')).toBe(true)
    expect((await recorded()).map(({ revision }) => revision)).toEqual(Array.from({ length: 101 }, (_, i) => i))
  })

  test(
    '[ROOM-8] an append whose outcome is unknown is answered with unavailable, and the room reads ' +
      'again what is true',
    async () => {
      await ask(open())
      let broken = true
      const flaky: Log = {
        ...log,
        async append(...args) {
          const done = await log.append(...args)
          if (broken) throw new LogUnavailable('the answer was lost')
          return done
        },
      }
      const on = node(flaky)
      expect(codeOf(await ask(write('once'), { clientId: 'm1' }, on))).toBe('unavailable')
      broken = false
      expect(await ask(write('once'), { clientId: 'm1' }, on)).toMatchObject({ kind: 'done', seq: 1 })
      expect(await recorded()).toHaveLength(2)
    },
  )
})

describe('exactly once', () => {
  test('[ONCE-1] the same client_id gives the first answer again and adds nothing', async () => {
    await ask(open())
    const first = await ask(write('a'), { clientId: 'm1' })
    const again = await ask(write('a'), { clientId: 'm1' })
    expect(again).toEqual({ ...first, events: [] })
    expect(await recorded()).toHaveLength(2)
  })

  test('[ONCE-2] the same client_id with another payload is refused', async () => {
    await ask(open())
    await ask(write('a'), { clientId: 'm1' })
    expect(codeOf(await ask(write('b'), { clientId: 'm1' }))).toBe('client-id-reused')
  })

  test('[ONCE-3] the same client_id of another person is another call', async () => {
    await ask(open())
    await ask(claim(ann))
    await ask(write('a'), { clientId: 'm1' })
    expect(await ask(write('a', ann), { clientId: 'm1' })).toMatchObject({ kind: 'done', seq: 3 })
  })

  test('[ONCE-4] it holds over restarts, with and without a snapshot', async () => {
    await ask(open())
    const first = await ask(write('a'), { clientId: 'm1' })
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(write(String(i)))))
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(write(String(i)))))
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(write(String(i)))))
    expect(await ask(write('a'), { clientId: 'm1' }, node())).toEqual({ ...first, events: [] })
    await entities.stop() // keeps a snapshot
    expect(snapshots.load('chat-c1')).toBeDefined()
    expect(await ask(write('a'), { clientId: 'm1' }, node())).toEqual({ ...first, events: [] })
  })

  test('[ONCE-5] twins that wait together get one answer', async () => {
    await ask(open())
    const answers = await Promise.all([
      ask(write('x')),
      ask(write('a'), { clientId: 'm1' }),
      ask(write('a'), { clientId: 'm1' }),
    ])
    expect(answers.map((answer) => answer.kind === 'done' && answer.seq)).toEqual([1, 2, 2])
    expect(await recorded()).toHaveLength(3)
  })

  test('[ONCE-2] also of two that wait together the second is refused, if it has another payload', async () => {
    await ask(open())
    const answers = await Promise.all([
      ask(write('x')), // is taken alone; the two that come meanwhile are decided as one group
      ask(write('a'), { clientId: 'm1' }),
      ask(write('b'), { clientId: 'm1' }),
    ])
    expect(answers.map(codeOf)).toEqual(['done', 'done', 'client-id-reused'])
    expect((await recorded()).map(({ event }) => event)).toMatchObject(
      ['hi', 'x', 'a'].map((text) => ({ content: { text } })),
    )
  })

  test('[ONCE-12] what was refused is asked anew by its repeat, also where both wait together', async () => {
    await ask(open())
    const answers = await Promise.all([
      ask(write('x')), // is taken alone; the others are decided as one group
      ask(write('a', ann), { clientId: 'm1' }),
      ask(write('b', ann), { clientId: 'm2' }),
      ask(claim(ann), { clientId: 'm2' }),
      ask(write('a', ann), { clientId: 'm1' }),
      ask(write('a', ann), { clientId: 'm1' }),
    ])
    const refused = 'chat-not-claimed'
    expect(answers.map(codeOf)).toEqual(['done', refused, refused, 'done', 'done', 'done'])
    expect(answers.slice(4).map((answer) => answer.kind === 'done' && answer.seq)).toEqual([3, 3])
    expect((await recorded()).map(({ event: { type } }) => type)).toEqual([
      'ChatOpened',
      'VisitorWrote',
      'ChatClaimed',
      'StaffWrote',
    ])
  })
})

describe('an event of a newer version', () => {
  const teaching =
    'event 1 of chat-c1 cannot be read: it is ChatClaimed version 2, and this release of Lyceum knows ChatClaimed up ' +
    'to version 1. A newer release recorded it: start that release again, or a later one'

  beforeEach(() => {
    log = memoryLog({ codec: newerCodec('ChatClaimed'), now: () => at })
    entities = node(log, true)
  })
  const claimedByNewer = async (): Promise<void> => {
    const claimed = { type: 'ChatClaimed', staffId: 'ann', role: 'agent', at } as const
    await log.append('chat-c1', 0, [
      { id: randomUUID(), event: claimed, meta: { correlationId: randomUUID(), by: 'acme.ann' } },
    ])
  }

  test('[LOG-2] keeps its entity from being asked, and no other', async () => {
    await ask(open())
    await claimedByNewer()
    const other = node()
    expect(codeOf(await ask(write('x'), {}, other))).toBe('damaged')
    await expect(other.state('chat', 'c1')).rejects.toThrow(teaching)
    expect(await other.ask('chat', 'c2', open())).toMatchObject({ kind: 'done' })
    expect(await recorded()).toHaveLength(2)
  })

  test('[LOG-2] that an awake entity hears keeps it from deciding on the state before', async () => {
    await ask(open())
    await claimedByNewer()
    const heard = (await recorded()).at(-1)
    expect(() => heard && entities.onEvent(heard)).toThrow(teaching)
    // It would change nothing, so no append would meet a conflict.
    expect(codeOf(await ask({ type: 'FlagChat', severity: 0, by: ann, at }))).toBe('damaged')
  })
})

describe('a snapshot', () => {
  const fill = async (): Promise<void> => {
    await ask(open())
    for (let round = 0; round < 3; round++)
      await Promise.all(Array.from({ length: 200 }, (_, i) => ask(write(String(i)))))
    await entities.stop()
  }

  test.each([
    ['is lost', () => snapshots.save('chat-c1', '')],
    ['is garbled', () => snapshots.save('chat-c1', (snapshots.load('chat-c1') ?? '').replace('unclaimed', 'claimed'))],
    ['is cut short', () => snapshots.save('chat-c1', (snapshots.load('chat-c1') ?? '').slice(0, 60))],
    ['is of another machine', () => snapshots.save('chat-c1', 'x\ny\n{}\n[]')],
  ])('[SNAP-1] that %s costs only time', async (_, spoil) => {
    await fill()
    spoil()
    const { revision, state } = await node().state('chat', 'c1')
    expect(revision).toBe(600)
    expect(state.value).toBe('unclaimed')
    expect(state.context.messages).toBe(601)
  })

  test('[SNAP-2] of a future that the log does not have is thrown away', async () => {
    await fill()
    const text = snapshots.load('chat-c1') ?? ''
    const younger = memoryLog({ codec: codec(eventSchemas), now: () => at })
    const on = node(younger)
    expect(text).not.toBe('')
    expect((await on.state('chat', 'c1')).revision).toBe(-1)
    await younger.close()
  })

  test('[SNAP-3] of another log of the same length is thrown away', async () => {
    await fill()
    const { revision } = await node().state('chat', 'c1')
    await log.close()
    log = memoryLog({ codec: codec(eventSchemas), now: () => at })
    const other = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: Date.now, idleMs: 60_000 })
    started.push(other)
    await ask(open(), {}, other)
    await ask(claim(ann), {}, other)
    for (let n = 2; n <= revision; n++) await ask(write(String(n)), {}, other)
    expect(snapshots.load('chat-c1')).toBeTruthy()
    const { revision: read, state } = await node().state('chat', 'c1')
    expect([read, state.value, state.context.staffId]).toEqual([revision, 'claimed', 'ann'])
    expect(snapshots.load('chat-c1')).toBe('')
  })
})

describe('a log that went back', () => {
  test('[PAST-7] is believed: what an awake room learned beyond it is forgotten, and somebody is told', async () => {
    const logs = [log, memoryLog({ codec: codec(eventSchemas), now: () => at })]
    let current = logs[0] as Log
    let told = 0
    const moving: Log = {
      append: (...args) => current.append(...args),
      read: (...args) => current.read(...args),
      readAll: (...args) => current.readAll(...args),
      follow: (...args) => current.follow(...args),
      close: async () => {},
    }
    const onLostEvents = (): void => {
      told += 1
    }
    const on = openEntities({ log: moving, snapshots, shared: true, now: Date.now, idleMs: 60_000, onLostEvents })
    started.push(on)
    await ask(open(), {}, on)
    await ask(claim(ann), {}, on)
    const older = node(logs[1])
    await ask(open(), {}, older)
    current = logs[1] as Log
    expect(codeOf(await ask(claim(bob), {}, on))).toBe('chat-already-claimed') // a stale no records nothing
    expect(codeOf(await ask(write('on'), {}, on))).toBe('done')
    expect(told).toBe(1)
    expect(codeOf(await ask(claim(bob), {}, on))).toBe('done')
    await logs[1]?.close()
  })

  test('[PAST-7] and everything that is awake can be forgotten at once', async () => {
    await ask(open())
    expect(entities.awake()).toBe(1)
    entities.forget()
    expect(entities.awake()).toBe(0)
    expect((await entities.state('chat', 'c1')).revision).toBe(0)
  })
})

test('[ROOM-9] event names are unique over all kinds of rooms', () => {
  const names = Object.values(catalogue).flatMap(({ events }) => Object.keys(events))
  expect(new Set(names).size).toBe(names.length)
})
