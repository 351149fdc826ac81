import { afterEach, beforeEach, expect, test } from 'vitest'
import { lastOf } from '../../src/log/last-of.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { faultyViews } from './faulty-views.ts'
import { added, boxes, record, trial, trialLog } from './trial.ts'

let log: Log
let store: ViewStore
let runner: ViewRunner
/** The table when it held the first event only, as a copy of the store would bring it back. */
let copy: ViewStore
let told: bigint

beforeEach(async () => {
  log = trialLog()
  store = memoryViews()
  copy = memoryViews()
  runner = views()
  await record(log, 'box-a', added(1))
  const first = (await lastOf(log)) ?? null
  await runner.ready()
  const table = runner.table('boxes') ?? ''
  const index = boxes.index('a', { seq: 0, sum: 1 })
  if (first) await copy.commit(table, null, first, [{ key: 'a', row: { seq: 0, sum: 1 }, added: index, removed: [] }])
  await copy.promote('boxes', null, table)
  told = await record(log, 'box-a', added(1))
  await runner.reached('boxes', told, 5_000)
  expect(await boxA()).toEqual({ position: told, rows: [{ seq: 1, sum: 2 }] })
})
afterEach(async () => {
  await runner.stop()
  await log.close()
})

const views = (): ViewRunner =>
  runViews({
    log,
    store: faultyViews(() => store),
    projections: [trial(boxes)],
    commitEveryMs: 2,
    pollMs: 60_000, // nothing but a reader's doubt makes it look at the store
    onAlarm: () => {},
  })
const boxA = () => runner.get('boxes', ['a'])

/** What the next reader is told who is not sent away. */
async function answer(): Promise<unknown> {
  const answers: unknown[] = []
  const look = async (): Promise<number> => {
    const seen = await boxA().catch((error: unknown) => error)
    if (!(seen instanceof ViewsUnavailable)) answers.push(seen)
    return answers.length
  }
  await expect.poll(look, { interval: 1, timeout: 10_000 }).toBe(1)
  return answers[0]
}

test('[VIEW-2] a reader of a store that went back is never told less than was told before', async () => {
  store = copy
  expect(await answer()).toEqual({ position: told, rows: [{ seq: 1, sum: 2 }] })
})

test('[VIEW-2] as long as the store stays behind, readers are told to come again', async () => {
  store = { ...copy, commit: () => Promise.reject(new ViewsUnavailable('read-only for now')) }
  for (let n = 0; n < 3; n++) await expect(boxA()).rejects.toThrow(ViewsUnavailable)
  store = copy
  expect(await answer()).toEqual({ position: told, rows: [{ seq: 1, sum: 2 }] })
})

test('[NODE-12] of a table that another log has filled nothing is shown, and it keeps ours from nobody', async () => {
  for (const events of [1, 50]) {
    const theirs = trialLog()
    const exchanged = memoryViews()
    const filling = runViews({ log: theirs, store: exchanged, projections: [trial(boxes)], onAlarm() {} })
    let last = 0n
    for (let n = 0; n < events; n++) last = await record(theirs, 'box-a', added(100))
    await filling.ready()
    await expect.poll(() => filling.position('boxes')).toBe(last)
    await filling.stop()
    store = exchanged
    expect(await answer()).toEqual({ position: told, rows: [{ seq: 1, sum: 2 }] })
  }
})
