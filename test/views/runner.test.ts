import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Projection } from '../../projections/projection.ts'
import { codec } from '../../src/log/codec.ts'
import { lastOf } from '../../src/log/last-of.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Alarm } from '../../src/views/alarm.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { added, type Box, boxes, emptied, record, spoiled, trial, trialLog, verified } from './trial.ts'

const runners: ViewRunner[] = []
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()))
})

const all = { from: '', to: '\x7f', limit: 1_000 }

function kept(
  log: Log,
  store: ViewStore,
  ...projections: readonly Projection[]
): { runner: ViewRunner; alarms: Alarm[] } {
  const alarms: Alarm[] = []
  const onAlarm = (alarm: Alarm) => void alarms.push(alarm)
  const runner = runViews({
    log,
    store,
    projections: projections.length > 0 ? projections : [trial(boxes)],
    commitEveryMs: 2,
    pollMs: 20,
    onAlarm,
  })
  runners.push(runner)
  return { runner, alarms }
}

describe('a runner', () => {
  test('is ready with an empty log, and has a table then', async () => {
    const store = memoryViews()
    const { runner } = kept(trialLog(), store)
    await runner.ready()
    expect(runner.table('boxes')).toBe('boxes.v1001.first')
    expect(await store.live('boxes')).toBe('boxes.v1001.first')
    expect(await runner.get('boxes', ['a'])).toEqual({ position: null, rows: [undefined] })
  })

  test('is ready when it has folded what was in the log', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1), added(2))
    const end = await record(log, 'other-a', added(1))
    const { runner } = kept(log, memoryViews())
    await runner.ready()
    expect(await runner.get('boxes', ['a', 'b'])).toEqual({ position: end, rows: [{ seq: 1, sum: 3 }, undefined] })
  })

  test('shows an event to whoever waits for its position', async () => {
    const log = trialLog()
    const { runner } = kept(log, memoryViews())
    await runner.ready()
    for (let n = 1; n <= 5; n++) {
      const position = await record(log, 'box-a', added(1))
      expect(await runner.reached('boxes', position, 5_000)).toBe(true)
      expect(await runner.get<Box>('boxes', ['a'])).toEqual({ position, rows: [{ seq: n - 1, sum: n }] })
      expect((await runner.scan('boxes', { ...all, from: 'sum/' })).entries).toEqual([
        { index: `sum/000000${n}`, key: 'a', row: { seq: n - 1, sum: n } },
      ])
    }
  })

  test('reaches the position of an event that changes none of its rows without writing', async () => {
    const log = trialLog()
    const { runner } = kept(log, memoryViews())
    await runner.ready()
    const position = await record(log, 'other-a', added(1))
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
    expect(runner.position('boxes')).toBe(position)
    expect((await runner.get('boxes', [])).position).toBe(position)
  })

  test('says no to whoever waits for what does not come', async () => {
    const { runner } = kept(trialLog(), memoryViews())
    await runner.ready()
    expect(await runner.reached('boxes', 10_000n, 10)).toBe(false)
  })

  test('takes a removed row for one that never was', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1), emptied, added(5))
    await record(log, 'box-b', added(1), emptied)
    const { runner } = kept(log, memoryViews())
    await runner.ready()
    expect((await runner.get('boxes', ['a', 'b'])).rows).toEqual([{ seq: 2, sum: 5 }, undefined])
    expect((await runner.scan('boxes', all)).entries.map(({ index }) => index)).toEqual(['sum/0000005'])
  })

  test('goes on where the last one stopped', async () => {
    const log = trialLog()
    const store = memoryViews()
    const first = kept(log, store).runner
    await record(log, 'box-a', added(1))
    await first.ready()
    await first.stop()
    const position = await record(log, 'box-a', added(1))
    const { runner } = kept(log, store)
    await runner.ready()
    expect(runner.table('boxes')).toBe('boxes.v1001.first')
    expect(await runner.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 1, sum: 2 }] })
  })

  test('names the views that there are when asked for another', async () => {
    const { runner } = kept(trialLog(), memoryViews())
    expect(() => runner.position('boxen')).toThrow('there is no view "boxen", only boxes')
  })

  test('tells those who wait for it to be ready that it was stopped', async () => {
    const store: ViewStore = { ...memoryViews(), live: () => Promise.reject(new ViewsUnavailable('down')) }
    const { runner } = kept(trialLog(), store)
    const ready = runner.ready()
    await runner.stop()
    await expect(ready).rejects.toThrow('stopped before it was ready')
  })
})

describe('a poison event', () => {
  test('parks its row with one alarm, and the rest of the view goes on', async () => {
    const log = trialLog()
    const { runner, alarms } = kept(log, memoryViews())
    await record(log, 'box-a', added(1), spoiled, added(1))
    await record(log, 'box-a', spoiled)
    const position = await record(log, 'box-b', added(2))
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
    expect((await runner.get('boxes', ['a', 'b'])).rows).toEqual([undefined, { seq: 0, sum: 2 }])
    expect((await runner.scan('boxes', { ...all, to: 'q' })).entries).toEqual([
      { index: 'even/b', key: 'b', row: { seq: 0, sum: 2 } },
      { index: 'parked/a', key: 'a', row: { parked: true, seq: 1, error: 'a spoiled box' } },
    ])
    expect(alarms).toMatchObject([
      { kind: 'parked', view: 'boxes', key: 'a', stream: 'box-a', seq: 1, error: 'a spoiled box' },
    ])
    await expect.poll(() => runner.status().boxes?.parked).toBe(1)
  })

  test('[LOG-2] is also one of a newer version: the alarm tells what to do, and the view goes on', async () => {
    const added2 = { Added: { version: 2, personal: [], upcasts: {} } }
    const today = { Added: { ...added2.Added, version: 1 } }
    let writes = codec(today)
    const log = memoryLog({
      codec: { encode: (one) => writes.encode(one), decode: codec(today).decode },
      now: Date.now,
    })
    await record(log, 'box-a', added(1))
    writes = codec(added2)
    await record(log, 'box-a', added(2))
    writes = codec(today)
    await record(log, 'box-b', added(3))
    const { runner, alarms } = kept(log, memoryViews()) // made from the past, and then live
    await runner.ready()
    const position = await record(log, 'box-c', added(4))
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
    const rows = [undefined, { seq: 0, sum: 3 }, { seq: 0, sum: 4 }]
    expect((await runner.get('boxes', ['a', 'b', 'c'])).rows).toEqual(rows)
    const error = expect.stringMatching(
      /^event 1 of box-a cannot be read: it is Added version 2, .* start that release/,
    )
    expect(alarms).toMatchObject([{ kind: 'parked', view: 'boxes', key: 'a', stream: 'box-a', seq: 1, error }])
  })

  const faulty: readonly (readonly [string, Partial<Projection<Box>>, string])[] = [
    ['whose key cannot be named', { key: fails }, 'key: out of order'],
    ['whose key is not printable', { key: () => 'é' }, 'printable ASCII'],
    ['whose row has no place in an index', { index: fails }, 'out of order'],
    ['whose row has an index entry that is not printable', { index: () => ['\n'] }, 'printable ASCII'],
    ['whose row forgets its revision', { fold: () => ({ seq: 7, sum: 0 }) }, 'must set seq'],
    ['whose row is no JSON', { fold: (_, { revision: seq }) => ({ seq, sum: 1n as unknown as number }) }, 'BigInt'],
  ]
  for (const [what, broken, error] of faulty) {
    test(`is also one ${what}`, async () => {
      const log = trialLog()
      const store = memoryViews()
      await record(log, 'box-a', added(1))
      await record(log, 'whole-a', added(1))
      const whole = {
        ...boxes,
        name: 'whole',
        key: ({ stream }: { stream: string }) => (stream.startsWith('whole-') ? stream : null),
      }
      const { runner, alarms } = kept(log, store, trial({ ...boxes, ...broken }), trial(whole))
      await runner.ready()
      expect((await runner.get('whole', ['whole-a'])).rows).toEqual([{ seq: 0, sum: 1 }])
      expect(alarms[0]).toMatchObject({
        kind: 'parked',
        view: 'boxes',
        key: expect.stringMatching(/^(box-)?a$/),
        error: expect.stringContaining(error),
      })
    })
  }

  test('is one whose predecessor the view has not seen', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1), emptied, added(1))
    const blind = trial<Box>({ ...boxes, key: (recorded) => (recorded.revision === 1 ? null : boxes.key(recorded)) })
    const { runner, alarms } = kept(log, memoryViews(), blind)
    await runner.ready()
    expect(alarms).toMatchObject([{ kind: 'parked', error: expect.stringContaining('came with revision 2 after 0') }])
  })

  test('is forgiven by a rebuild with a better fold', async () => {
    const log = trialLog()
    const store = memoryViews()
    await record(log, 'box-a', added(1), spoiled, added(1))
    const before = kept(log, store).runner
    await before.ready()
    await before.stop()
    const better = trial<Box>({ ...boxes, fold: (row, { revision: seq }) => ({ seq, sum: (row?.sum ?? 0) + 1 }) })
    const { runner } = kept(log, store, better)
    await runner.ready()
    expect(await runner.verify('boxes')).toMatchObject({
      equal: false,
      differences: ['a', 'parked/a -> a', 'sum/0000003 -> a'],
    })
    await runner.rebuild('boxes')
    expect(await runner.verify('boxes')).toMatchObject({ equal: true, differences: [] })
    expect((await runner.get('boxes', ['a'])).rows).toEqual([{ seq: 2, sum: 3 }])
  })
})

function fails(): never {
  throw new Error('out of order')
}

describe('a rebuild', () => {
  test('switches to a fresh table and drops the old one, while events come', async () => {
    const log = trialLog()
    const store = memoryViews()
    for (let n = 0; n < 50; n++) await record(log, `box-${n % 7}`, added(n))
    const { runner } = kept(log, store)
    await runner.ready()
    let last = 0n
    const writing = (async () => {
      for (let n = 0; n < 200; n++) last = await record(log, `box-${n % 7}`, added(n))
    })()
    const { table } = await runner.rebuild('boxes')
    await writing
    expect(table).not.toBe('boxes.v1001.first')
    expect(await runner.reached('boxes', last, 5_000)).toBe(true)
    await expect.poll(() => runner.table('boxes')).toBe(table)
    expect((await store.read('boxes.v1001.first', [])).upTo).toBe(null)
    expect((await verified(log, store)).equal).toBe(true)
  })

  test('that is not the first of two tells the other one', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1))
    const { runner } = kept(log, memoryViews())
    await runner.ready()
    const both = await Promise.all([runner.rebuild('boxes'), runner.rebuild('boxes')])
    expect(both.map(({ events }) => events).sort()).toEqual([0, 1])
    expect(both[0].table).toBe(both[1].table)
  })
})

describe('a raised version', () => {
  const second = trial<Box>({ ...boxes, version: 2, index: (name) => [`name/${name}`] })

  test('is built beside the old table, which serves until the switch', async () => {
    const log = trialLog()
    const inner = memoryViews()
    const first = kept(log, inner).runner
    const position = await record(log, 'box-a', added(1))
    await first.reached('boxes', position, 5_000)
    await first.ready()
    await first.stop()
    const gate = Promise.withResolvers<void>()
    const store: ViewStore = {
      ...inner,
      async commit(table, ...rest) {
        if (table.startsWith('boxes.v1002')) await gate.promise
        return inner.commit(table, ...rest)
      },
    }
    const { runner } = kept(log, store, second)
    await expect.poll(() => runner.table('boxes')).toBe('boxes.v1001.first')
    expect(await runner.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    gate.resolve()
    await runner.ready()
    expect(runner.table('boxes')).toBe('boxes.v1002.first')
    expect((await runner.scan('boxes', all)).entries.map(({ index }) => index)).toEqual(['name/a'])
    expect((await store.read('boxes.v1001.first', [])).upTo).toBe(null)
  })

  test('is not undone by a node of the old version, which reads on', async () => {
    const log = trialLog()
    const store = memoryViews()
    const old = kept(log, store).runner
    await old.ready()
    const { runner } = kept(log, store, second)
    await runner.ready()
    await expect.poll(() => old.status().boxes?.state).toBe('superseded')
    const position = await record(log, 'box-a', added(1))
    expect(await old.reached('boxes', position, 5_000)).toBe(true)
    expect(await old.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    expect(await store.live('boxes')).toBe('boxes.v1002.first')
  })

  test('that nobody folds any more is replaced by the old version', async () => {
    const log = trialLog()
    const store = memoryViews()
    const newer = kept(log, store, second).runner
    await newer.ready()
    await newer.stop()
    const position = await record(log, 'box-a', added(1))
    const { runner } = kept(log, store)
    await expect.poll(() => runner.table('boxes')).toMatch(/^boxes\.v1001\./)
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
  })
})

describe('several runners of one store', () => {
  /** Two runners, one of which has lost a race and stands by. */
  async function pair() {
    const log = trialLog()
    const store = memoryViews()
    const both = [kept(log, store).runner, kept(log, store).runner] as const
    await Promise.all(both.map((runner) => runner.ready()))
    const stateOf = (runner: ViewRunner) => runner.status().boxes?.state
    for (let n = 0; ; n++) {
      await record(log, `box-${n % 7}`, added(n))
      await delay(1)
      for (const [leader, other] of [both, [both[1], both[0]] as const]) {
        if (stateOf(leader) === 'following' && stateOf(other) === 'standby') return { log, store, leader, other }
      }
    }
  }

  test('let one fold while the others stand by and read along', async () => {
    const { log, store, leader, other } = await pair()
    const position = await record(log, 'box-a', added(1))
    for (const runner of [leader, other]) {
      expect(await runner.reached('boxes', position, 5_000)).toBe(true)
      expect(await runner.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    }
    const foreign = await record(log, 'other-a', added(1))
    for (const runner of [leader, other]) expect(await runner.reached('boxes', foreign, 5_000)).toBe(true)
    expect((await verified(log, store)).equal).toBe(true)
  })

  test('take over from one that is gone', async () => {
    const { log, store, leader, other } = await pair()
    await leader.stop()
    const position = await record(log, 'box-a', added(1))
    expect(await other.reached('boxes', position, 5_000)).toBe(true)
    expect((await verified(log, store)).equal).toBe(true)
  })

  test('take over also when nothing but the position has to be written', async () => {
    const { log, store, leader, other } = await pair()
    await leader.stop()
    const position = await record(log, 'other-a', added(1))
    await expect.poll(() => other.status().boxes?.state).toBe('following')
    const table = other.table('boxes') ?? ''
    await expect.poll(async () => (await store.read(table, [])).upTo?.position).toBe(position)
  })
})

describe('a table', () => {
  test('[PAST-2] that knows more than the log is built anew, with an alarm', async () => {
    const store = memoryViews()
    const long = trialLog()
    for (let n = 0; n < 20; n++) await record(long, 'box-a', added(1))
    const before = kept(long, store).runner
    await before.ready()
    await before.stop()
    const restored = trialLog()
    await record(restored, 'box-a', added(1))
    const { runner, alarms } = kept(restored, store)
    await expect.poll(() => alarms.map(({ kind }) => kind)).toEqual(['another-past'])
    await runner.ready()
    expect((await runner.get('boxes', ['a'])).rows).toEqual([{ seq: 0, sum: 1 }])
  })

  test('[PAST-2] of another log that is longer is built anew, and is never shown', async () => {
    const store = memoryViews()
    const short = trialLog()
    await record(short, 'box-a', added(1))
    const before = kept(short, store).runner
    await before.ready()
    await before.stop()
    const other = trialLog()
    for (let n = 0; n < 20; n++) await record(other, 'box-b', added(1))
    const { runner, alarms } = kept(other, store)
    await runner.ready()
    expect(alarms.map(({ kind }) => kind)).toEqual(['another-past'])
    expect((await runner.get('boxes', ['a', 'b'])).rows).toEqual([undefined, { seq: 19, sum: 20 }])
    expect((await verified(other, store)).equal).toBe(true)
  })

  test('[PAST-2] is not spoiled by a node that has not heard yet that the log was replaced', async () => {
    const store = memoryViews()
    const lost = trialLog()
    for (let n = 0; n < 5; n++) await record(lost, 'box-a', added(1))
    let current = lost
    // What it follows has not ended yet, what it reads is the other log's already.
    const moving: Log = { ...lost, readAll: (options) => current.readAll(options) }
    const late = kept(moving, store).runner
    await late.ready()
    for (let n = 0; n < 5; n++) await record(lost, 'box-a', added(1))
    const last = (await lastOf(lost))?.position ?? 0n
    expect(await late.reached('boxes', last, 5_000)).toBe(true)
    const other = trialLog()
    await record(other, 'box-b', added(1))
    current = other
    const { runner } = kept(other, store)
    await runner.ready()
    const table = runner.table('boxes')
    expect(table).not.toBe('boxes.v1001.first')
    await expect.poll(() => late.table('boxes')).toBe(table)
    const position = await record(other, 'box-b', added(1))
    expect(await runner.reached('boxes', position, 5_000)).toBe(true)
    await delay(100) // several polls of the late one
    expect(await store.live('boxes')).toBe(table)
    expect((await verified(other, store)).equal).toBe(true)
    expect((await store.read(table ?? '', ['a'])).rows).toEqual([undefined])
  })

  test('[PAST-2] that was being built from another log is not built on', async () => {
    const store = memoryViews()
    const half = trialLog()
    await record(half, 'box-a', added(1))
    const first = await lastOf(half)
    if (!first) throw new Error('unreachable: it was just recorded')
    await store.commit('boxes.v1001.first', null, first, [
      { key: 'a', row: { seq: 0, sum: 1 }, added: ['sum/0000001'], removed: [] },
    ])
    const log = trialLog()
    await record(log, 'box-b', added(1))
    const { runner } = kept(log, store)
    await runner.ready()
    expect(runner.table('boxes')).not.toBe('boxes.v1001.first')
    expect((await verified(log, store)).equal).toBe(true)
  })

  test('that was spoiled by hand is found out by verifying', async () => {
    const log = trialLog()
    const store = memoryViews()
    const position = await record(log, 'box-a', added(1))
    const first = await lastOf(log)
    if (!first) throw new Error('unreachable: it was just recorded')
    await record(log, 'box-b', added(1))
    await store.commit('boxes.v1001.x', null, first, [
      { key: 'a', row: { seq: 0, sum: 2 }, added: ['sum/0000002', 'stray/a'], removed: [] },
    ])
    await store.promote('boxes', null, 'boxes.v1001.x')
    const found = await verified(log, store)
    expect(found).toMatchObject({ equal: false, position, rows: 1 })
    expect(found.differences).toEqual(['a', 'stray/a -> a', 'sum/0000002 -> a', 'sum/0000001 -> a'])
    expect(found.live).not.toBe(found.fresh)
  })
})
