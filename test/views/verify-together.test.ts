import { expect, test } from 'vitest'
import type { Log } from '../../src/log/log.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { rebuildView } from '../../src/views/rebuild.ts'
import { verifyViews } from '../../src/views/verify.ts'
import { added, boxes, record, trial, trialLog } from './trial.ts'

test('[VIEW-3] views that are verified together read the log once', async () => {
  const log = trialLog()
  for (let n = 0; n < 40; n++) await record(log, `box-${n % 7}`, ...Array.from({ length: 300 }, () => added(n)))
  const store = memoryViews()
  const projections = ['one', 'two', 'three'].map((name) => ({ ...trial(boxes), name }))
  for (const projection of projections) await rebuildView({ log, store, projection })
  let read = 0
  const counted: Log = {
    ...log,
    async *readAll(options) {
      for await (const batch of log.readAll(options)) {
        read += batch.length
        yield batch
      }
    },
  }
  const verified = await verifyViews({ log: counted, store, projections })
  expect(verified.map(({ view, equal, rows }) => [view, equal, rows])).toEqual([
    ['one', true, 7],
    ['two', true, 7],
    ['three', true, 7],
  ])
  expect(read).toBeLessThan(40 * 300 * 1.1)
})
