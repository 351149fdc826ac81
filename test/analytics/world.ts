import { randomUUID } from 'node:crypto'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import type { Observer } from '../../src/analytics/deliver.ts'
import { mixpanelImport } from '../../src/analytics/import.ts'
import { followForMixpanel, type MixpanelOptions } from '../../src/analytics/mixpanel.ts'
import { pseudonyms } from '../../src/analytics/pseudonyms.ts'
import { eventsOf } from '../../src/analytics/start.ts'
import type { Clock } from '../../src/clock.ts'
import { type Codec, codec } from '../../src/log/codec.ts'
import type { Checkpoint, Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { Checkpoints } from '../../src/outbound/checkpoint.ts'
import type { Worker } from '../../src/outbound/worker.ts'
import type { MixpanelStandin } from '../support/mixpanel-standin.ts'

export const TOKEN = 'project-token'
export const pseudonym = pseudonyms('a secret of the tests, thirty-two bytes and more')

export const analyticsLog = (now: () => number = Date.now, by: Codec = codec(eventSchemas)): Log =>
  memoryLog({ codec: by, now })

/** Appends behind whatever the stream holds; resolves to the ids of the events. */
export async function record(log: Log, stream: string, ...events: readonly Event[]): Promise<string[]> {
  let revision = -1
  for await (const batch of log.read(stream, { backwards: true, limit: 1 })) revision = batch[0]?.revision ?? revision
  const proposed = events.map((event) => ({
    id: randomUUID(),
    event,
    meta: { correlationId: randomUUID(), by: 'system' },
  }))
  await log.append(stream, revision, proposed)
  return proposed.map(({ id }) => id)
}

/** Somebody of `acme` comes online, in a stream of their own. Resolves to the event's id. */
export async function comesOnline(log: Log, id: string, at: number): Promise<string> {
  const online: PresenceEvent = { type: 'CameOnline', role: 'student', at }
  const [event = ''] = await record(log, `presence-acme.${id}`, online)
  return event
}

/** Time runs as fast as it can: whoever waits is called in the next turn, and it is so much later then. */
export function hurriedClock(start = 1_700_000_000_000): Clock {
  let now = start
  const clock: Clock = {
    now: () => now,
    elapsed: () => now,
    at: (instant, run) => clock.after(instant - now, run),
    after(ms, run) {
      const turn = setImmediate(() => {
        now += Math.max(0, ms)
        run()
      })
      return { cancel: () => clearImmediate(turn) }
    },
  }
  return clock
}

/** A place as on a disk that outlives its followers. */
export function placeInMemory(): Checkpoints & { current(): Checkpoint | null } {
  let checkpoint: Checkpoint | null = null
  return {
    current: () => checkpoint,
    load: async () => checkpoint,
    async store(next) {
      checkpoint = next
    },
  }
}

/** Everything that was told to whoever looks at figures and alarms. */
export function notes() {
  const heard = {
    sent: 0,
    setAside: [] as { position: bigint; why: string }[],
    waits: [] as number[],
    whys: [] as string[],
    errors: [] as unknown[],
  }
  const observer: Observer = {
    sent(events) {
      heard.sent += events
    },
    setAside: (event) => void heard.setAside.push(event),
    retrying(why, _failures, waitMs) {
      heard.whys.push(why)
      heard.waits.push(waitMs)
    },
    failed: (error) => void heard.errors.push(error),
  }
  return { heard, observer }
}

/** A follower of this log that tells this stand-in; a request may take 5 s of real time. */
export function follower(log: Log, mixpanel: MixpanelStandin, options: Partial<MixpanelOptions> = {}): Worker {
  const clock = options.clock ?? hurriedClock()
  return followForMixpanel({
    log,
    clock,
    send: mixpanelImport({ token: TOKEN, apiUrl: mixpanel.url, timeoutMs: 5_000, now: clock.now }),
    checkpoints: placeInMemory(),
    eventOf: eventsOf(log, pseudonym),
    observer: notes().observer,
    ...options,
  })
}

/** The insert ids that an analyst would count, in their order of arrival. */
export const insertIds = (mixpanel: MixpanelStandin): string[] =>
  mixpanel.counted().map(({ properties }) => properties.$insert_id)
