import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { crowdPace } from '../../src/contracts/courses/crowd-pace.ts'
import { spreadPace } from '../../src/contracts/courses/spread-pace.ts'
import { viewings } from '../../src/contracts/courses/viewings.ts'
import { latestPace } from '../../src/delivery/latest-pace.ts'
import { mergedPace } from '../../src/delivery/merged-pace.ts'
import type { Notice } from '../../src/delivery/notice.ts'
import { placedNotices } from '../../src/delivery/placed-notice.ts'
import { attempts } from '../../src/gateway/auth/attempts.ts'
import { untilExpiry } from '../../src/gateway/auth/expiry.ts'
import { guessLimit, tokenBuckets } from '../../src/gateway/auth/limits.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { startMailer } from '../../src/mail/mailer.ts'
import { openWorker } from '../../src/outbound/worker.ts'
import { pause } from '../../src/pause.ts'
import { absences } from '../../src/presence/absences.ts'
import { expiry } from '../../src/presence/expiry.ts'
import { openRetries } from '../../src/retries.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { overdue } from '../../src/runtime/overdue.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'

const HOUR_MS = 3_600_000
const STEPS = [-HOUR_MS, -5_000, 5_000, HOUR_MS] as const

const settle = async (): Promise<void> => {
  for (let n = 0; n < 30; n++) await nextTurn()
}
/** What is asked of the log on the way takes a turn or two. */
const pass = async (clock: ManualClock, ms: number): Promise<void> => {
  for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
    clock.advance(Math.min(1_000, leftMs))
    await settle()
  }
}
const stu: Party = { id: 'stu', org: 'acme', role: 'student' }
const outletOf = (push: () => void) => ({ push, holdsBack() {}, size: () => 1 })
const noticeOf = (more: object): Notice => ({ to: { kind: 'k', room: 'k r' }, name: 'n', data: {}, ...more })
const placed = (more: object = {}) => placedNotices({ id: '', position: 0n }, [noticeOf(more)])
const progress = (n: number) => ({
  ...{ to: { kind: 'instructors', room: 'of r' }, name: 'student_progress' },
  data: { id: '', seq: 0, pos: '0', user_id: 's', video_id: 'v', progress: 1, timestamp: n },
})

/** Begins something that takes `ms`; gives whether it has happened. */
interface Elapsing {
  readonly ms: number
  /** Where chance has a part in it. */
  readonly atLeastMs?: number
  readonly begin: (clock: ManualClock) => Promise<() => unknown> | (() => unknown)
}

/** Everything that waits, or lets others wait, for a time to elapse. */
const ELAPSING: Readonly<Record<string, Elapsing>> = {
  'a timer': {
    ms: 10_000,
    begin(clock) {
      let ran = false
      clock.after(10_000, () => (ran = true))
      return () => ran
    },
  },
  'a pause': {
    ms: 10_000,
    begin(clock) {
      let isOver = false
      void pause(clock, 10_000, new AbortController().signal).then(() => (isOver = true))
      return () => isOver
    },
  },
  'what is tried again': {
    ms: 1_000,
    begin(clock) {
      let ran = false
      openRetries(clock, 1_000).add(() => (ran = true))
      return () => ran
    },
  },
  'the pace of what is told newest': {
    ms: 300,
    begin(clock) {
      let pushes = 0
      const options = { maxPushes: 5, windowMs: 1_000, latestEveryMs: 300 }
      const pace = latestPace({ outlet: outletOf(() => void pushes++), clock, ...options })
      for (let n = 0; n < 2; n++) pace.push(placed({ latest: true }), null)
      return () => pushes === 2
    },
  },
  'the pace of a room': {
    ms: 1_000,
    begin(clock) {
      let pushes = 0
      const options = { maxPushes: 5, windowMs: 1_000, latestEveryMs: 300 }
      const pace = latestPace({ outlet: outletOf(() => void pushes++), clock, ...options })
      for (let n = 0; n < 6; n++) pace.push(placed(), null)
      return () => pushes === 6
    },
  },
  'the pace of a class': {
    ms: 110,
    begin(clock) {
      let pushes = 0
      const pace = mergedPace({
        ...{ outlet: outletOf(() => void pushes++), clock, kind: 'k', pauseMs: 110, ahead: () => false, onSent() {} },
        merge: ([first]) => first ?? noticeOf({}),
      })
      for (const part of ['a', 'b']) pace.push(placed({ part }), null)
      return () => pushes === 2
    },
  },
  'the pace of a crowd': {
    ms: 1_000,
    begin(clock) {
      let pushes = 0
      const pace = crowdPace({ outlet: outletOf(() => void pushes++), clock })
      for (let n = 0; n < 6; n++) pace.tell(progress(n) as Parameters<typeof pace.tell>[0])
      return () => pushes === 6
    },
  },
  'the pace of a herd': {
    ms: 100,
    begin(clock) {
      let pushes = 0
      const pace = spreadPace({ outlet: outletOf(() => void pushes++), clock })
      for (let n = 0; n <= 4_000; n++) pace.tell(noticeOf({}))
      return () => pushes === 4_001
    },
  },
  'a token bucket': {
    ms: 10_000,
    begin(clock) {
      const limit = tokenBuckets({ perSecond: 0.1, burst: 1 }, clock.elapsed)
      limit.take('ann')
      return () => limit.take('ann') === true
    },
  },
  'a limit of guesses': {
    ms: 60_000,
    begin(clock) {
      const limit = guessLimit(1, 60, clock.elapsed)
      limit.failed('ann')
      return () => limit.blockedMs('ann') === 0
    },
  },
  'the next attempt at a password': {
    ms: 1_000,
    async begin(clock) {
      let heard = 0
      const { run } = attempts({ clock, free: 1, firstMs: 1_000, mostMs: 3_000, waiting: 3 })
      const attempt = () => run('ann', async () => heard++, Boolean.bind(null, true))
      await attempt()
      void attempt()
      return () => heard === 2
    },
  },
  'a grace': {
    ms: 15_000,
    begin(clock) {
      let isOver = false
      const graces = expiry({
        ...{ clock, graceMs: 15_000, notBefore: () => 0 },
        due: () => (isOver ? [] : [{ person: 'acme.ann', until: clock.now() }]),
        async expire(people) {
          if (people.length > 0) isOver = true
        },
      })
      graces.lost('acme.ann', 15_000)
      return () => isOver
    },
  },
  'that somebody is absent': {
    ms: 10_000,
    begin(clock) {
      const absent = absences(10_000)
      const look = () => absent.look(['acme.ann'], [0], clock.elapsed()).length > 0
      look()
      return look
    },
  },
  'the second between two recordings of one viewer': { ms: 1_000, begin: (clock) => watching(clock, [0, 100]) },
  'the 15 s in which a viewer is recorded': { ms: 15_000, begin: (clock) => watching(clock, [0, 1]) },
  'the next try to send a mail': {
    ...{ ms: 1_100, atLeastMs: 500 },
    async begin(clock) {
      let tries = 0
      const { views, entities } = await queuedMail(clock)
      const post = { send: async () => ({ kind: 'later', why: 'no' }) as const, close() {} }
      const write = async () => {
        tries++
        return { to: 'ann@example.org', subject: 's', text: 't' }
      }
      const mailer = startMailer({ entities, views, clock, post, node: 'a', write, onError() {} })
      onTestFinished(() => mailer.stop())
      return () => tries >= 2
    },
  },
  'the taking over of a mail from a node that died': {
    ms: 120_000,
    async begin(clock) {
      let tries = 0
      const { views, entities, by } = await queuedMail(clock)
      await entities.ask('mail', 'm', { type: 'AttemptMail', node: 'dead', by, at: clock.now() })
      const post = { send: async () => ({ kind: 'taken' }) as const, close() {} }
      const write = async () => {
        tries++
        return { to: 'ann@example.org', subject: 's', text: 't' }
      }
      const mailer = startMailer({ entities, views, clock, post, node: 'b', write, onError() {} })
      onTestFinished(() => mailer.stop())
      return () => tries === 1
    },
  },
  'a batch of what goes out': {
    ms: 2_000,
    async begin(clock) {
      let isOut = false
      const log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
      await log.append('presence-acme.ann', -1, [
        { id: randomUUID(), event: { type: 'CameOnline' }, meta: { correlationId: 'e', by: 'system' } },
      ])
      const worker = openWorker({
        ...{ log, clock, batch: 10, everyMs: 2_000, hurryMs: 1, begins: 'start' },
        checkpoints: { load: async () => null, store: async () => {} },
        outgoing: async ({ at }) => ({ at }),
        deliver: async () => (isOut = true),
        observer: { setAside() {}, failed() {} },
        backOff: { firstMs: 1, longestMs: 1 },
      })
      onTestFinished(() => worker.stop())
      return () => isOut
    },
  },
}

/** A viewer who reports these places of a video; whether the last one is recorded. */
async function watching(clock: ManualClock, places: readonly number[]): Promise<() => boolean> {
  const recorded: number[] = []
  const log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: clock.now, idleMs: 60_000 })
  const its = viewings({
    entities: {
      state: entities.state,
      ask(category, id, command) {
        const { last } = command as { readonly last?: { readonly timestamp: number } }
        if (last) recorded.push(last.timestamp)
        return entities.ask(category, id, command)
      },
    },
    ...{ clock, onReport() {}, onError() {} },
  })
  onTestFinished(() => entities.stop())
  for (const timestamp of places) {
    const report = { timestamp, progress: 1, at: clock.now() }
    const call = { clientId: undefined, tab: 't', taken() {} }
    void its.report({ courseId: 'c', videoId: 'v', durationSeconds: 600 }, stu, report, call)
    await settle()
  }
  return () => recorded.at(-1) === places.at(-1)
}

async function queuedMail(clock: ManualClock) {
  const by: Party = { id: 'mailer', org: 'acme', role: 'system' }
  const log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: clock.now, idleMs: 60_000 })
  onTestFinished(() => entities.stop())
  await entities.ask('mail', 'm', { type: 'QueueMail', personId: 'ann', title: 'T', by, at: clock.now() })
  const entries = [{ key: 'm', row: {} }]
  const views = { reached: async () => true, scan: async () => ({ entries, position: 0n }) as never }
  return { by, entities, views }
}

describe('[CLOCK-2] takes as long as it takes, wherever the clock is stepped meanwhile:', () => {
  for (const [what, { ms, atLeastMs, begin }] of Object.entries(ELAPSING)) {
    test.each(STEPS)(`${what}, by %i ms`, async (stepMs) => {
      const clock = manualClock()
      const happened = await begin(clock)
      await settle()
      clock.step(stepMs)
      expect(happened(), 'at once').toBe(false)
      await pass(clock, (atLeastMs ?? ms) - 1)
      expect(happened(), 'a millisecond too early').toBe(false)
      await pass(clock, ms - (atLeastMs ?? ms) + 1)
      expect(happened(), 'in time').toBe(true)
    })
  }
})

/** Begins to wait for the instant that comes in a minute; gives whether it has come. */
const INSTANTS: Readonly<Record<string, (clock: ManualClock, instant: number) => () => boolean>> = {
  'an instant': (clock, instant) => {
    let came = false
    clock.at(instant, () => (came = true))
    return () => came
  },
  'the end of what nobody ends': (clock, instant) => {
    let ended = false
    const policy = overdue({
      ...{ clock, onError() {}, dueBy: () => null, open: () => (ended ? [] : [{ id: 'a', dueAt: instant }]) },
      async end() {
        ended = true
        return 'ended'
      },
    })
    void policy.start()
    return () => ended
  },
}
const MINUTE_MS = 60_000

describe('[CLOCK-3] comes within a second of when the clock shows it, wherever it was stepped:', () => {
  for (const [what, begin] of Object.entries(INSTANTS)) {
    test.each(STEPS)(`${what}, by %i ms`, async (stepMs) => {
      const clock = manualClock()
      const came = begin(clock, clock.now() + MINUTE_MS)
      clock.advance(1_500)
      clock.step(stepMs)
      const leftMs = MINUTE_MS - 1_500 - stepMs
      clock.advance(Math.max(0, leftMs - 1))
      await settle()
      if (leftMs > 0) expect(came(), 'too early').toBe(false)
      clock.advance(1_000)
      await settle()
      expect(came(), 'in time').toBe(true)
    })
  }
})

describe('[CLOCK-5] a token that is good for a minute', () => {
  test.each([
    [-HOUR_MS, MINUTE_MS],
    [-5_000, MINUTE_MS],
    [5_000, MINUTE_MS - 5_000],
    [HOUR_MS, 1_000],
  ])('ends what it has opened, also where the clock is stepped by %i ms: after %i ms', (stepMs, afterMs) => {
    const clock = manualClock()
    let ended = 0
    untilExpiry(clock, clock.now() + MINUTE_MS, () => void ended++)
    clock.step(stepMs)
    clock.advance(afterMs - 1)
    expect(ended).toBe(0)
    clock.advance(1)
    expect(ended).toBe(1)
    clock.advance(2 * HOUR_MS)
    expect(ended).toBe(1)
    expect(clock.pending()).toBe(0)
  })
})

describe('[CLOCK-4] what is recorded of one thing never goes back in time', () => {
  test.each(STEPS)('where the clock is stepped by %i ms, or another node has such a one', async (stepMs) => {
    const clock = manualClock()
    const other = manualClock(clock.now() + stepMs)
    const log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
    const nodeOf = ({ now }: ManualClock) =>
      openEntities({ log, snapshots: memorySnapshots(), shared: true, now, idleMs: 60_000 })
    const [here, there] = [nodeOf(clock), nodeOf(other)]
    onTestFinished(async () => {
      await here.stop()
      await there.stop()
    })
    const system: Party = { id: 'system', org: 'acme', role: 'system' }
    const ask = (on: typeof here, at: number, command: object) =>
      on.ask('presence', 'acme.stu', { by: system, at, ...command } as Parameters<typeof here.ask<'presence'>>[2])
    const lose = { type: 'Leave', how: 'lost', graceMs: 15_000 }
    const arrive = { type: 'Arrive', role: 'student' }
    for (const command of [arrive, lose, arrive, lose]) await ask(here, clock.now(), command)
    for (const command of [arrive, lose, arrive]) await ask(there, other.now(), command)
    clock.step(stepMs)
    for (const command of [lose, arrive, { ...lose, how: 'closed' }, arrive]) await ask(here, clock.now(), command)

    const times: number[] = []
    const told: number[] = []
    const losses: number[] = []
    for await (const batch of log.read('presence-acme.stu'))
      for (const { at, event } of batch) {
        times.push(at)
        const its = event as { type: string; at: number }
        told.push(its.at)
        if (its.type === 'ConnectionLost') losses.push(its.at)
      }
    expect(times).toHaveLength(11)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(new Set(losses).size, 'losses are told apart by their times').toBe(losses.length)
  })
})
