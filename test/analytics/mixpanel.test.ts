import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Event } from '../../machines/kernel.ts'
import { eventsOf } from '../../src/analytics/start.ts'
import type { Log } from '../../src/log/log.ts'
import { checkpointFile } from '../../src/outbound/checkpoint.ts'
import type { Worker } from '../../src/outbound/worker.ts'
import { manualClock } from '../support/clock.ts'
import { type MixpanelStandin, startMixpanel } from '../support/mixpanel-standin.ts'
import { newerCodec } from '../support/newer-release.ts'
import {
  analyticsLog,
  comesOnline,
  follower,
  hurriedClock,
  insertIds,
  notes,
  placeInMemory,
  pseudonym,
  record,
  TOKEN,
} from './world.ts'

let mixpanel: MixpanelStandin
let log: Log
const followers: Worker[] = []

beforeEach(async () => {
  mixpanel = await startMixpanel(TOKEN)
  log = analyticsLog(() => at)
})
afterEach(async () => {
  await Promise.all(followers.splice(0).map((one) => one.stop()))
  await mixpanel.die()
  await log.close()
})

const follow = (...[options]: [Parameters<typeof follower>[2]?]): Worker => {
  const made = follower(log, mixpanel, options)
  followers.push(made)
  return made
}

const at = 1_700_000_000_000

/** `number` people come online, one after the other, a millisecond apart; resolves to the events' ids. */
async function crowd(number: number, name = 'p'): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < number; n++) ids.push(await comesOnline(log, `${name}${n}`, at + n))
  return ids
}

/** Lets the event loop turn until it is so. */
async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await nextTurn()
}

describe('a follower', () => {
  test(
    '[MIX-1] tells what was recorded before it came and what is recorded while it is there, in the ' +
      'order of the log',
    async () => {
      const before = await crowd(3, 'early')
      follow()
      await mixpanel.until(() => mixpanel.counted().length === 3)
      const later = await crowd(3, 'late')
      await mixpanel.until(() => mixpanel.counted().length === 6)
      expect(insertIds(mixpanel)).toEqual([...before, ...later])
      expect(mixpanel.mostCopies()).toBe(1)
    },
  )

  test('[MIX-2] sends at most 2,000 events in one request', async () => {
    const ids = await crowd(4_500)
    follow()
    await mixpanel.until(() => mixpanel.counted().length === 4_500)
    expect(mixpanel.largest()).toBe(2_000)
    expect(insertIds(mixpanel)).toEqual(ids)
  })

  test('[MIX-2] an event waits at most two seconds for others', async () => {
    const clock = manualClock(at)
    await crowd(2)
    const one = follow({ clock })
    await until(() => clock.pending() === 1)
    clock.advance(1_999)
    expect(one.lagMs()).toBe(1_999)
    expect(mixpanel.requests).toHaveLength(0)
    clock.advance(1)
    await mixpanel.until(() => mixpanel.counted().length === 2)
    expect(mixpanel.requests).toHaveLength(1)
  })

  test('[MIX-3] hours of a dead Mixpanel lose nothing and slow no append', async () => {
    await mixpanel.die()
    const { heard, observer } = notes()
    const clock = hurriedClock(at)
    follow({ clock, observer })
    const ids = await crowd(3_000)
    await until(() => clock.now() - at > 3 * 3_600_000)
    ids.push(...(await crowd(3_000, 'q')))
    expect(heard.sent).toBe(0)
    await mixpanel.revive()
    await mixpanel.until(() => mixpanel.counted().length === 6_000)
    expect(insertIds(mixpanel)).toEqual(ids)
    expect(mixpanel.mostCopies()).toBe(1)
  })

  test('[MIX-3] while Mixpanel does not answer, no more than two batches are in memory', async () => {
    const { heard, observer } = notes()
    const tell = eventsOf(log, pseudonym)
    let looked = 0
    const eventOf: typeof tell = (recorded) => {
      looked += 1
      return tell(recorded)
    }
    await mixpanel.die()
    await crowd(1)
    follow({ observer, eventOf })
    await until(() => heard.waits.length > 0)
    await crowd(6_000, 'q')
    const failures = heard.waits.length
    await until(() => heard.waits.length > failures + 50)
    expect(looked).toBeLessThanOrEqual(4_000)
  })

  test('[MIX-4] waits as long as Retry-After asks, and longer after each failure, up to a minute', async () => {
    const { heard, observer } = notes()
    const busy = { kind: 'status', status: 429 } as const
    mixpanel.misbehave({ ...busy, retryAfter: '300' }, ...Array.from({ length: 9 }, () => busy))
    await crowd(1)
    follow({ observer })
    await mixpanel.until(() => mixpanel.counted().length === 1)
    const [first = 0, ...others] = heard.waits
    expect(first).toBe(300_000)
    for (const [index, wait] of others.entries()) {
      const longest = Math.min(1_000 * 2 ** (index + 1), 60_000)
      expect(wait).toBeGreaterThanOrEqual(longest / 2)
      expect(wait).toBeLessThanOrEqual(longest)
    }
  })

  test('[MIX-5] an event that Mixpanel names as invalid is set aside, and the others arrive', async () => {
    const { heard, observer } = notes()
    const ids = await crowd(10)
    mixpanel.refuse({ invalid: ({ properties }) => properties.$insert_id === ids[3], how: 'explained' })
    follow({ observer })
    await mixpanel.until(() => mixpanel.counted().length === 9)
    expect(insertIds(mixpanel)).toEqual(ids.filter((id) => id !== ids[3]))
    await until(() => heard.sent === 9)
    expect(heard.setAside).toMatchObject([{ stream: 'presence-acme.p3', why: 'event: is invalid' }])
    expect(mixpanel.requests).toHaveLength(1)
  })

  test('[MIX-5] an event that spoils its batch without a word is found by halving the batch', async () => {
    const { heard, observer } = notes()
    const ids = await crowd(1_000)
    const bad = new Set([ids[17], ids[900]])
    mixpanel.refuse({ invalid: ({ properties }) => bad.has(properties.$insert_id), how: 'silent' })
    follow({ observer })
    await until(() => heard.sent === 998)
    expect(insertIds(mixpanel)).toEqual(ids.filter((id) => !bad.has(id)))
    expect(heard.setAside).toHaveLength(2)
    expect(mixpanel.requests.length).toBeLessThan(50)
  })

  describe('[MIX-12] an event of a clock that was ahead', () => {
    const HOUR_MS = 3_600_000
    let wall: number
    /** Comes online by a clock that is so far ahead. */
    const comesAhead = (id: string, aheadMs: number): Promise<string> => {
      wall = Date.now() + aheadMs
      return comesOnline(log, id, wall)
    }
    beforeEach(async () => {
      await log.close()
      log = analyticsLog(() => wall)
    })

    test('is told as of the first event after it whose clock was right, and so again after a crash', async () => {
      const { heard, observer } = notes()
      const early = [await comesAhead('a', 2 * HOUR_MS), await comesAhead('b', 2 * HOUR_MS + 5)]
      follow({ observer })
      await mixpanel.until(() => heard.waits.length > 0)
      const right = await comesAhead('c', 0)
      await mixpanel.until(() => mixpanel.counted().length === 3)
      const times = mixpanel.counted().map(({ properties }) => [properties.$insert_id, properties.time])
      expect(times).toEqual([...early, right].map((id) => [id, wall]))
      follow({ observer }) // one that has no place stored: it tells everything again
      await until(() => heard.sent === 6)
      expect(mixpanel.counted()).toHaveLength(3)
      expect(heard.setAside).toEqual([])
    })

    test.each(['explained', 'silent'] as const)(
      'waits until it is taken, if nothing else is known: %s',
      async (how) => {
        const { heard, observer } = notes()
        const early = await comesAhead('a', HOUR_MS / 2)
        mixpanel.refuse({ invalid: () => true, how, field: 'properties.time' })
        follow({ observer })
        await mixpanel.until(() => heard.whys.filter((why) => why.includes('ahead')).length > 3)
        mixpanel.refuse({ invalid: () => false, how })
        await until(() => heard.sent === 1)
        expect(insertIds(mixpanel)).toEqual([early])
        expect(heard.setAside).toEqual([])
      },
    )

    test('but one that is not ahead is set aside: it is too old, and that does not pass', async () => {
      const { heard, observer } = notes()
      await comesAhead('a', -HOUR_MS)
      mixpanel.refuse({ invalid: () => true, how: 'explained', field: 'properties.time' })
      follow({ observer })
      await until(() => heard.setAside.length === 1)
    })
  })

  test('[MIX-5] an event that this release does not understand is set aside without quoting it', async () => {
    const { heard, observer } = notes()
    await record(log, 'presence-acme.ada', { type: 'Levitated', name: 'Ada Lovelace' } as Event)
    const ids = await crowd(1)
    follow({ observer })
    await mixpanel.until(() => mixpanel.counted().length === 1)
    expect(insertIds(mixpanel)).toEqual(ids)
    expect(heard.setAside).toMatchObject([
      { stream: 'presence-acme.ada', why: 'this release does not understand Levitated' },
    ])
  })

  test('[MIX-5] [LOG-2] so is one of a newer version, with what is to be done', async () => {
    const { heard, observer } = notes()
    await log.close()
    log = analyticsLog(() => at, newerCodec('CameBack', 'LessonScheduled'))
    await record(log, 'presence-acme.ada', { type: 'CameBack', role: 'student' } as Event)
    await record(log, 'lesson-l1', { type: 'LessonScheduled' }, { type: 'LessonStarted' })
    const ids = await crowd(1)
    follow({ observer })
    await mixpanel.until(() => mixpanel.counted().length === 1)
    expect(insertIds(mixpanel)).toEqual(ids)
    const why = (event: string) => expect.stringMatching(`^event 0 of ${event} version 2, .* start that release again`)
    expect(heard.setAside).toMatchObject([
      { stream: 'presence-acme.ada', why: why('presence-acme.ada cannot be read: it is CameBack') },
      { stream: 'lesson-l1', why: why('lesson-l1 cannot be read: it is LessonScheduled') },
      { stream: 'lesson-l1', why: why('lesson-l1 cannot be read: it is LessonScheduled') },
    ])
    expect(heard.errors).toEqual([])
  })

  test('[MIX-6] goes on where the last one stopped', async () => {
    const checkpoints = placeInMemory()
    await crowd(5)
    const first = follow({ checkpoints })
    await mixpanel.until(() => mixpanel.counted().length === 5)
    await until(() => checkpoints.current() !== null)
    await first.stop()
    await crowd(5, 'q')
    follow({ checkpoints })
    await mixpanel.until(() => mixpanel.counted().length === 10)
    expect(mixpanel.mostCopies()).toBe(1)
  })

  test('[MIX-6] what was sent again because its place was not stored is the same events', async () => {
    const ids = await crowd(5)
    const first = follow({
      checkpoints: { load: async () => null, store: () => Promise.reject(new Error('disk full')) },
    })
    await mixpanel.until(() => mixpanel.counted().length === 5)
    await first.stop()
    follow()
    await mixpanel.until(() => mixpanel.requests.length === 2)
    await mixpanel.until(() => mixpanel.mostCopies() === 2)
    expect(insertIds(mixpanel)).toEqual(ids)
  })

  test('[MIX-6] a place of another log is not believed', async () => {
    const { heard, observer } = notes()
    const checkpoints = placeInMemory()
    await checkpoints.store({ position: 10_000n, id: '5b2f1e4e-0000-5000-8000-000000000000' })
    const ids = await crowd(2)
    follow({ checkpoints, observer })
    await mixpanel.until(() => mixpanel.counted().length === 2)
    expect(insertIds(mixpanel)).toEqual(ids)
    expect(heard.errors).toHaveLength(1)
  })

  test('[MIX-7] sends what it has when it is stopped', async () => {
    const clock = manualClock(at)
    await crowd(3)
    const one = follow({ clock })
    await until(() => clock.pending() === 1)
    await one.stop()
    expect(mixpanel.counted()).toHaveLength(3)
    expect(clock.pending()).toBe(0)
  })

  test(
    '[MIX-7] leaves to the next start what a Mixpanel that does not answer has not taken within two ' + 'seconds',
    async () => {
      const clock = manualClock(at)
      const checkpoints = placeInMemory()
      const ids = await crowd(3)
      const one = follow({ clock, checkpoints })
      await until(() => clock.pending() === 1)
      mixpanel.misbehave({ kind: 'hang', taken: true })
      const stopped = one.stop()
      await mixpanel.until(() => mixpanel.requests.length === 1)
      clock.advance(2_000)
      await stopped
      expect(checkpoints.current()).toBeNull()
      follow({ checkpoints })
      await mixpanel.until(() => mixpanel.requests.length === 2)
      await until(() => checkpoints.current() !== null)
      expect(insertIds(mixpanel)).toEqual(ids)
    },
  )
})

describe('a place in a file', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lyceum-place-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  test('[MIX-6] is what was stored last, and nothing when it is missing or spoiled', async () => {
    const path = join(directory, 'place.json')
    const file = checkpointFile(path)
    expect(await file.load()).toBeNull()
    await file.store({ position: 1n, id: 'one' })
    await file.store({ position: 12_345_678_901_234_567_890n, id: 'two' })
    expect(await checkpointFile(path).load()).toEqual({ position: 12_345_678_901_234_567_890n, id: 'two' })
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 9))
    expect(await file.load()).toBeNull()
  })
})
