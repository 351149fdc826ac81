import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Observer } from '../../src/analytics/deliver.ts'
import { mixpanelImport } from '../../src/analytics/import.ts'
import type { Log } from '../../src/log/log.ts'
import type { Checkpoints } from '../../src/outbound/checkpoint.ts'
import type { Worker } from '../../src/outbound/worker.ts'
import { type Misbehaviour, type MixpanelStandin, startMixpanel } from '../support/mixpanel-standin.ts'
import { analyticsLog, comesOnline, follower, hurriedClock, insertIds, notes, placeInMemory, TOKEN } from './world.ts'

type Step =
  | { readonly do: 'append'; readonly events: number }
  | { readonly do: 'misbehave'; readonly how: Misbehaviour }
  /** The process is killed: at once, or just when it is about to store its place. Another one starts. */
  | { readonly do: 'kill'; readonly when: 'now' | 'at-store' }
  | { readonly do: 'die' | 'revive' }

const misbehaviour: fc.Arbitrary<Misbehaviour> = fc.oneof(
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(401, 404, 429, 500, 502, 503),
    retryAfter: fc.constantFrom('0', '1', '7200'),
  }),
  fc.record({ kind: fc.constant('page' as const), status: fc.constantFrom(200, 400) }),
  fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(1, 5, 40) }),
  fc.record({ kind: fc.constant('hang' as const), taken: fc.boolean() }),
  fc.constantFrom({ kind: 'too-large' as const }, { kind: 'close' as const }, { kind: 'half' as const }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), events: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('misbehave' as const), how: misbehaviour }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('kill' as const),
      when: fc.constantFrom('now' as const, 'at-store' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'revive' as const) }) },
)

/** A process that can be killed: from then on it neither stores nor sends. */
function processOn(log: Log, mixpanel: MixpanelStandin, disk: Checkpoints, observer: Observer) {
  let state: 'alive' | 'doomed' | 'dead' = 'alive'
  const clock = hurriedClock()
  const send = mixpanelImport({ token: TOKEN, apiUrl: mixpanel.url, timeoutMs: 25, now: clock.now })
  const die = (): void => {
    state = 'dead'
    void running.stop() // so that nothing of it goes on; it rejects never
  }
  const running: Worker = follower(log, mixpanel, {
    clock,
    observer,
    send: async (events, signal) =>
      state === 'dead' ? { kind: 'later', why: 'killed', waitMs: null } : send(events, signal),
    checkpoints: {
      load: disk.load,
      async store(checkpoint) {
        if (state === 'doomed') die()
        if (state === 'dead') throw new Error('killed')
        await disk.store(checkpoint)
      },
    },
  })
  return {
    kill(when: 'now' | 'at-store') {
      if (when === 'now') die()
      else state = 'doomed'
    },
    stop: running.stop,
  }
}

test(
  '[MIX-3] [MIX-6] whatever Mixpanel does and whenever the server is killed, an analyst counts every ' +
    'valid event once, in the order of the log',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.nat(30)), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('explained' as const, 'silent' as const),
        fc.integer({ min: 5, max: 100 }),
        async (steps, how, everyNthIsBad) => {
          const mixpanel = await startMixpanel(TOKEN)
          const log = analyticsLog()
          const disk = placeInMemory()
          const { heard, observer } = notes()
          const good: string[] = []
          const bad = new Set<string>()
          mixpanel.refuse({ invalid: ({ properties }) => bad.has(properties.$insert_id), how })
          const processes = [processOn(log, mixpanel, disk, observer)]
          let alive = true

          for (const [what, turns] of steps) {
            switch (what.do) {
              case 'append':
                for (let n = 0; n < what.events; n++) {
                  const number = good.length + bad.size
                  const id = await comesOnline(log, `p${number}`, 1_700_000_000_000 + number)
                  if (number % everyNthIsBad === everyNthIsBad - 1) bad.add(id)
                  else good.push(id)
                }
                break
              case 'misbehave':
                mixpanel.misbehave(what.how)
                break
              case 'kill':
                processes.at(-1)?.kill(what.when)
                processes.push(processOn(log, mixpanel, disk, observer))
                break
              case 'die':
                await mixpanel.die()
                alive = false
                break
              case 'revive':
                if (!alive) await mixpanel.revive()
                alive = true
            }
            for (let turn = 0; turn < turns; turn++) await nextTurn()
          }
          if (!alive) await mixpanel.revive()

          const positions = new Set<bigint>()
          await mixpanel.until(() => mixpanel.counted().length >= good.length)
          while (positions.size < bad.size) {
            await nextTurn()
            for (const { position } of heard.setAside) positions.add(position)
          }
          for (const one of processes.slice(0, -1)) one.kill('now')
          await Promise.all(processes.map((one) => one.stop()))
          expect(insertIds(mixpanel)).toEqual(good)
          expect(positions.size).toBe(bad.size)
          await mixpanel.die()
          await log.close()
        },
      ),
      { numRuns: 60 },
    )
  },
)
