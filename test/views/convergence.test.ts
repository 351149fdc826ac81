import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Log } from '../../src/log/log.ts'
import { openEmbeddedViews } from '../../src/views/embedded.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { openRedisViews } from '../../src/views/redis.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { verifyView } from '../../src/views/verify.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { type Fault, type FaultyViews, faultyViews, METHODS } from './faulty-views.ts'
import { added, type Box, boxes, emptied, record, spoiled, trial, trialLog } from './trial.ts'

type Step =
  | { readonly kind: 'record'; readonly stream: string; readonly events: readonly ReturnType<typeof added>[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'fail'; readonly who: number; readonly fault: Fault }
  | { readonly kind: 'crash'; readonly who: number }
  | { readonly kind: 'rebuild'; readonly who: number }
  | { readonly kind: 'read'; readonly who: number }
  | { readonly kind: 'flush' }

const who = fc.nat(1)
const event = fc.oneof(
  { weight: 12, arbitrary: fc.nat(50).map(added) },
  { weight: 2, arbitrary: fc.constant(emptied) },
  { weight: 1, arbitrary: fc.constant(spoiled) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      stream: fc.constantFrom('box-a', 'box-b', 'box-c', 'box-d', 'other-a'),
      events: fc.array(event, { minLength: 1, maxLength: 5 }) as fc.Arbitrary<ReturnType<typeof added>[]>,
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      who,
      fault: fc.record({
        method: fc.constantFrom(...METHODS),
        when: fc.constantFrom('before' as const, 'after' as const),
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
)

interface Ground {
  store(): ViewStore
  /** Everything in the store is lost. */
  flush(): Promise<void>
}

/**
 * Two runners of one view, batches so small that every run takes many commits; ends when the view is at the log's end.
 */
async function live(ground: Ground, steps: readonly Step[]): Promise<void> {
  await ground.flush()
  const log = trialLog()
  const nodes = [start(log, ground), start(log, ground)]
  const unfinished: Promise<unknown>[] = []
  const wrong: unknown[] = []
  const node = (at: number) => nodes[at] as (typeof nodes)[number] // `who` is 0 or 1
  let last: bigint | null = null
  for (const step of steps) {
    switch (step.kind) {
      case 'record':
        last = await record(log, step.stream, ...step.events)
        break
      case 'wait':
        await delay(step.ms)
        break
      case 'fail':
        node(step.who).store.fail(step.fault)
        break
      case 'crash':
        node(step.who).store.die()
        unfinished.push(node(step.who).runner.stop())
        nodes[step.who] = start(log, ground)
        break
      case 'rebuild':
        unfinished.push(
          node(step.who)
            .runner.rebuild('boxes')
            .catch(() => {}),
        )
        break
      case 'read':
        // Not awaited: what it finds wrong is looked at in the end.
        unfinished.push(
          node(step.who)
            .read()
            .catch((error) => wrong.push(error)),
        )
        break
      case 'flush':
        await ground.flush()
    }
  }
  try {
    await settled(log, ground.store(), last)
  } finally {
    await Promise.all(nodes.map(({ runner }) => runner.stop()))
    await Promise.all(unfinished)
  }
  if (wrong.length > 0) throw wrong[0]
}

function start(log: Log, ground: Ground) {
  const store: FaultyViews = faultyViews(ground.store)
  const runner: ViewRunner = runViews({
    log,
    store,
    projections: [trial(boxes)],
    commitEveryMs: 1,
    batch: 7,
    pollMs: 8,
    cacheRows: 2,
    onAlarm() {},
  })
  let told = -1n
  /** What one runner tells must never go back, and be true at the position that it tells. */
  const read = async () => {
    const answer = await runner.get<Box>('boxes', ['a', 'b', 'c', 'd']).catch(() => null)
    if (!answer) return
    expect(answer.position ?? -1n).toBeGreaterThanOrEqual(told)
    told = answer.position ?? told
    if (answer.position !== null) expect(answer.rows).toEqual(await foldedUpTo(log, answer.position))
  }
  return { store, runner, read }
}

async function foldedUpTo(log: Log, position: bigint): Promise<readonly (Box | undefined)[]> {
  const rows = new Map<string, Box | undefined>()
  const spoilt = new Set<string>()
  for await (const batch of log.readAll()) {
    for (const recorded of batch) {
      const key = boxes.key(recorded)
      if (key === null || recorded.position > position || spoilt.has(key)) continue
      try {
        rows.set(key, boxes.fold(rows.get(key), recorded))
      } catch {
        rows.delete(key)
        spoilt.add(key)
      }
    }
  }
  return ['a', 'b', 'c', 'd'].map((key) => rows.get(key))
}

/** Unequal at any position is a failure; not there yet is waited for. */
async function settled(log: Log, store: ViewStore, last: bigint | null): Promise<void> {
  const giveUpAt = Date.now() + 10_000
  for (let state = 'no table'; ; ) {
    try {
      const found = await verifyView({ log, store, projection: trial(boxes) })
      expect(found.differences).toEqual([])
      expect(found.equal).toBe(true)
      if (found.position === last) return
      state = `${found.position}`
    } catch (error) {
      if (!(error instanceof ViewsUnavailable)) throw error
    }
    if (Date.now() > giveUpAt) throw new Error(`the view is at ${state} after 10 s, the log at ${last}`)
    await delay(2)
  }
}

const runs = (ground: () => Ground, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => live(ground(), steps)),
    { numRuns, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  )

describe('whatever fails, the views end up as a fresh fold', () => {
  test('in memory', async () => {
    let inner = memoryViews()
    const flush = async () => {
      inner = memoryViews()
    }
    await runs(() => ({ store: () => inner, flush }), 60)
  })

  test('in LMDB', async () => {
    const path = await mkdtemp(join(tmpdir(), 'lyceum-views-'))
    let runsSoFar = 0
    const stores: ViewStore[] = []
    let inner = await openEmbeddedViews(join(path, '0'))
    stores.push(inner)
    // Nobody empties an LMDB directory under a running server: a flush is a new directory.
    const flush = async () => {
      inner = await openEmbeddedViews(join(path, `${++runsSoFar}`))
      stores.push(inner)
    }
    try {
      await runs(() => ({ store: () => inner, flush }), 20)
    } finally {
      await Promise.all(stores.map((store) => store.close()))
      await rm(path, { recursive: true, force: true })
    }
  })

  describe('in Redis', () => {
    let server: RedisServer
    let stores: ViewStore[]
    let admin: Redis

    beforeAll(async () => {
      server = await startRedis()
      admin = new Redis(server.url)
      stores = [await openRedisViews({ url: server.url }), await openRedisViews({ url: server.url })]
    })
    afterAll(async () => {
      admin.disconnect()
      await Promise.all(stores.map((store) => store.close()))
      await server.stop()
    })

    test('that is emptied at any moment', async () => {
      // Every call goes over the other connection than the one before, as if two nodes made them.
      let calls = 0
      const store = () => stores[++calls % 2] as ViewStore // there are two
      await runs(() => ({ store, flush: async () => void (await admin.flushall()) }), 40)
    })
  })
})
