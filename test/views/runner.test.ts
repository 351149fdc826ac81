import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Projection } from '../../projections/projection.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Alarm } from '../../src/views/alarm.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { added, type Box, boxes, emptied, record, spoiled, trial, trialLog, verified } from './trial.ts'

const keepers: ViewRunner[] = []
afterEach(async () => {
  await Promise.all(keepers.splice(0).map((keeper) => keeper.stop()))
})

const all = { from: '', to: '\x7f', limit: 1_000 }

function kept(
  log: Log,
  store: ViewStore,
  ...projections: readonly Projection[]
): { keeper: ViewRunner; alarms: Alarm[] } {
  const alarms: Alarm[] = []
  const onAlarm = (alarm: Alarm) => void alarms.push(alarm)
  const keeper = runViews({
    log,
    store,
    projections: projections.length > 0 ? projections : [trial(boxes)],
    commitEveryMs: 2,
    pollMs: 20,
    onAlarm,
  })
  keepers.push(keeper)
  return { keeper, alarms }
}

describe('a keeper', () => {
  test('is ready with an empty log, and has a table then', async () => {
    const store = memoryViews()
    const { keeper } = kept(trialLog(), store)
    await keeper.ready()
    expect(keeper.table('boxes')).toBe('boxes.v1.first')
    expect(await store.live('boxes')).toBe('boxes.v1.first')
    expect(await keeper.get('boxes', ['a'])).toEqual({ position: null, rows: [undefined] })
  })

  test('is ready when it has folded what was in the log', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1), added(2))
    const end = await record(log, 'other-a', added(1))
    const { keeper } = kept(log, memoryViews())
    await keeper.ready()
    expect(await keeper.get('boxes', ['a', 'b'])).toEqual({ position: end, rows: [{ seq: 1, sum: 3 }, undefined] })
  })

  test('shows an event to whoever waits for its position', async () => {
    const log = trialLog()
    const { keeper } = kept(log, memoryViews())
    await keeper.ready()
    for (let n = 1; n <= 5; n++) {
      const position = await record(log, 'box-a', added(1))
      expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
      expect(await keeper.get<Box>('boxes', ['a'])).toEqual({ position, rows: [{ seq: n - 1, sum: n }] })
      expect((await keeper.scan('boxes', { ...all, from: 'sum/' })).entries).toEqual([
        { index: `sum/000000${n}`, key: 'a', row: { seq: n - 1, sum: n } },
      ])
    }
  })

  test('reaches the position of an event that changes none of its rows without writing', async () => {
    const log = trialLog()
    const { keeper } = kept(log, memoryViews())
    await keeper.ready()
    const position = await record(log, 'other-a', added(1))
    expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
    expect(keeper.position('boxes')).toBe(position)
    expect((await keeper.get('boxes', [])).position).toBe(position)
  })

  test('says no to whoever waits for what does not come', async () => {
    const { keeper } = kept(trialLog(), memoryViews())
    await keeper.ready()
    expect(await keeper.reached('boxes', 10_000n, 10)).toBe(false)
  })

  test('takes a removed row for one that never was', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1), emptied, added(5))
    await record(log, 'box-b', added(1), emptied)
    const { keeper } = kept(log, memoryViews())
    await keeper.ready()
    expect((await keeper.get('boxes', ['a', 'b'])).rows).toEqual([{ seq: 2, sum: 5 }, undefined])
    expect((await keeper.scan('boxes', all)).entries.map(({ index }) => index)).toEqual(['sum/0000005'])
  })

  test('goes on where the last one stopped', async () => {
    const log = trialLog()
    const store = memoryViews()
    const first = kept(log, store).keeper
    await record(log, 'box-a', added(1))
    await first.ready()
    await first.stop()
    const position = await record(log, 'box-a', added(1))
    const { keeper } = kept(log, store)
    await keeper.ready()
    expect(keeper.table('boxes')).toBe('boxes.v1.first')
    expect(await keeper.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 1, sum: 2 }] })
  })

  test('names the views that there are when asked for another', async () => {
    const { keeper } = kept(trialLog(), memoryViews())
    expect(() => keeper.position('boxen')).toThrow('there is no view "boxen", only boxes')
  })

  test('tells those who wait for it to be ready that it was stopped', async () => {
    const store: ViewStore = { ...memoryViews(), live: () => Promise.reject(new ViewsUnavailable('down')) }
    const { keeper } = kept(trialLog(), store)
    const ready = keeper.ready()
    await keeper.stop()
    await expect(ready).rejects.toThrow('stopped before it was ready')
  })
})

describe('a poison event', () => {
  test('parks its row with one alarm, and the rest of the view goes on', async () => {
    const log = trialLog()
    const { keeper, alarms } = kept(log, memoryViews())
    await record(log, 'box-a', added(1), spoiled, added(1))
    await record(log, 'box-a', spoiled)
    const position = await record(log, 'box-b', added(2))
    expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
    expect((await keeper.get('boxes', ['a', 'b'])).rows).toEqual([undefined, { seq: 0, sum: 2 }])
    expect((await keeper.scan('boxes', { ...all, to: 'q' })).entries).toEqual([
      { index: 'even/b', key: 'b', row: { seq: 0, sum: 2 } },
      { index: 'parked/a', key: 'a', row: { parked: true, seq: 1, error: 'a spoiled box' } },
    ])
    expect(alarms).toMatchObject([
      { kind: 'parked', view: 'boxes', key: 'a', stream: 'box-a', seq: 1, error: 'a spoiled box' },
    ])
    await expect.poll(() => keeper.status().boxes?.parked).toBe(1)
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
    const { keeper, alarms } = kept(log, memoryViews()) // made from the past, and then live
    await keeper.ready()
    const position = await record(log, 'box-c', added(4))
    expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
    const rows = [undefined, { seq: 0, sum: 3 }, { seq: 0, sum: 4 }]
    expect((await keeper.get('boxes', ['a', 'b', 'c'])).rows).toEqual(rows)
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
      const { keeper, alarms } = kept(log, store, trial({ ...boxes, ...broken }), trial(whole))
      await keeper.ready()
      expect((await keeper.get('whole', ['whole-a'])).rows).toEqual([{ seq: 0, sum: 1 }])
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
    const { keeper, alarms } = kept(log, memoryViews(), blind)
    await keeper.ready()
    expect(alarms).toMatchObject([{ kind: 'parked', error: expect.stringContaining('came with revision 2 after 0') }])
  })

  test('is forgiven by a rebuild with a better fold', async () => {
    const log = trialLog()
    const store = memoryViews()
    await record(log, 'box-a', added(1), spoiled, added(1))
    const before = kept(log, store).keeper
    await before.ready()
    await before.stop()
    const better = trial<Box>({ ...boxes, fold: (row, { revision: seq }) => ({ seq, sum: (row?.sum ?? 0) + 1 }) })
    const { keeper } = kept(log, store, better)
    await keeper.ready()
    expect(await keeper.verify('boxes')).toMatchObject({
      equal: false,
      differences: ['a', 'parked/a -> a', 'sum/0000003 -> a'],
    })
    await keeper.rebuild('boxes')
    expect(await keeper.verify('boxes')).toMatchObject({ equal: true, differences: [] })
    expect((await keeper.get('boxes', ['a'])).rows).toEqual([{ seq: 2, sum: 3 }])
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
    const { keeper } = kept(log, store)
    await keeper.ready()
    let last = 0n
    const writing = (async () => {
      for (let n = 0; n < 200; n++) last = await record(log, `box-${n % 7}`, added(n))
    })()
    const { table } = await keeper.rebuild('boxes')
    await writing
    expect(table).not.toBe('boxes.v1.first')
    expect(await keeper.reached('boxes', last, 5_000)).toBe(true)
    await expect.poll(() => keeper.table('boxes')).toBe(table)
    expect((await store.read('boxes.v1.first', [])).position).toBe(null)
    expect((await verified(log, store)).equal).toBe(true)
  })

  test('that is not the first of two tells the other one', async () => {
    const log = trialLog()
    await record(log, 'box-a', added(1))
    const { keeper } = kept(log, memoryViews())
    await keeper.ready()
    const both = await Promise.all([keeper.rebuild('boxes'), keeper.rebuild('boxes')])
    expect(both.map(({ events }) => events).sort()).toEqual([0, 1])
    expect(both[0].table).toBe(both[1].table)
  })
})

describe('a raised version', () => {
  const second = trial<Box>({ ...boxes, version: 2, index: (name) => [`name/${name}`] })

  test('is built beside the old table, which serves until the switch', async () => {
    const log = trialLog()
    const inner = memoryViews()
    const first = kept(log, inner).keeper
    const position = await record(log, 'box-a', added(1))
    await first.reached('boxes', position, 5_000)
    await first.ready()
    await first.stop()
    const gate = Promise.withResolvers<void>()
    const store: ViewStore = {
      ...inner,
      async commit(table, ...rest) {
        if (table.startsWith('boxes.v2')) await gate.promise
        return inner.commit(table, ...rest)
      },
    }
    const { keeper } = kept(log, store, second)
    await expect.poll(() => keeper.table('boxes')).toBe('boxes.v1.first')
    expect(await keeper.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    gate.resolve()
    await keeper.ready()
    expect(keeper.table('boxes')).toBe('boxes.v2.first')
    expect((await keeper.scan('boxes', all)).entries.map(({ index }) => index)).toEqual(['name/a'])
    expect((await store.read('boxes.v1.first', [])).position).toBe(null)
  })

  test('is not undone by a node of the old version, which reads on', async () => {
    const log = trialLog()
    const store = memoryViews()
    const old = kept(log, store).keeper
    await old.ready()
    const { keeper } = kept(log, store, second)
    await keeper.ready()
    await expect.poll(() => old.status().boxes?.state).toBe('outlived')
    const position = await record(log, 'box-a', added(1))
    expect(await old.reached('boxes', position, 5_000)).toBe(true)
    expect(await old.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    expect(await store.live('boxes')).toBe('boxes.v2.first')
  })

  test('that nobody folds any more is replaced by the old version', async () => {
    const log = trialLog()
    const store = memoryViews()
    const newer = kept(log, store, second).keeper
    await newer.ready()
    await newer.stop()
    const position = await record(log, 'box-a', added(1))
    const { keeper } = kept(log, store)
    await expect.poll(() => keeper.table('boxes')).toMatch(/^boxes\.v1\./)
    expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
  })
})

describe('several keepers of one store', () => {
  /** Two keepers, one of which has lost a race and stands by. */
  async function pair() {
    const log = trialLog()
    const store = memoryViews()
    const both = [kept(log, store).keeper, kept(log, store).keeper] as const
    await Promise.all(both.map((keeper) => keeper.ready()))
    const stateOf = (keeper: ViewRunner) => keeper.status().boxes?.state
    for (let n = 0; ; n++) {
      await record(log, `box-${n % 7}`, added(n))
      await delay(1)
      for (const [leader, other] of [both, [both[1], both[0]] as const]) {
        if (stateOf(leader) === 'following' && stateOf(other) === 'standing-by') return { log, store, leader, other }
      }
    }
  }

  test('let one fold while the others stand by and read along', async () => {
    const { log, store, leader, other } = await pair()
    const position = await record(log, 'box-a', added(1))
    for (const keeper of [leader, other]) {
      expect(await keeper.reached('boxes', position, 5_000)).toBe(true)
      expect(await keeper.get('boxes', ['a'])).toEqual({ position, rows: [{ seq: 0, sum: 1 }] })
    }
    const foreign = await record(log, 'other-a', added(1))
    for (const keeper of [leader, other]) expect(await keeper.reached('boxes', foreign, 5_000)).toBe(true)
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
    await expect.poll(async () => (await store.read(table, [])).position).toBe(position)
  })
})

describe('a table', () => {
  test('that knows more than the log is built anew, with an alarm', async () => {
    const store = memoryViews()
    const long = trialLog()
    for (let n = 0; n < 20; n++) await record(long, 'box-a', added(1))
    const before = kept(long, store).keeper
    await before.ready()
    await before.stop()
    const restored = trialLog()
    await record(restored, 'box-a', added(1))
    const { keeper, alarms } = kept(restored, store)
    await expect.poll(() => alarms.map(({ kind }) => kind)).toEqual(['ahead-of-log'])
    await keeper.ready()
    expect((await keeper.get('boxes', ['a'])).rows).toEqual([{ seq: 0, sum: 1 }])
  })

  test('that was spoiled by hand is found out by verifying', async () => {
    const log = trialLog()
    const store = memoryViews()
    const position = await record(log, 'box-a', added(1))
    await record(log, 'box-b', added(1))
    await store.commit('boxes.v1.x', null, position, [
      { key: 'a', row: { seq: 0, sum: 2 }, added: ['sum/0000002', 'stray/a'], removed: [] },
    ])
    await store.promote('boxes', null, 'boxes.v1.x')
    const found = await verified(log, store)
    expect(found).toMatchObject({ equal: false, position, rows: 1 })
    expect(found.differences).toEqual(['a', 'stray/a -> a', 'sum/0000002 -> a', 'sum/0000001 -> a'])
    expect(found.live).not.toBe(found.fresh)
  })
})
