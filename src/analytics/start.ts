import { hash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isOf } from '../../machines/stream.ts'
import type { Clock } from '../clock.ts'
import { type Log, LogUnavailable, type Recorded, UnreadableEvent } from '../log/log.ts'
import { checkpointFile } from '../outbound/checkpoint.ts'
import { PoisonEvent, type Worker } from '../outbound/worker.ts'
import type { Observer } from './deliver.ts'
import { type MixpanelEvent, mixpanelEvent } from './events.ts'
import { lessonFacts } from './lessons.ts'
import { type Pseudonyms, pseudonyms } from './pseudonyms.ts'

const TIMEOUT_MS = 30_000

export interface AnalyticsOptions {
  /** Null: nothing is read, written or sent. */
  readonly mixpanel: { readonly token: string; readonly apiUrl: string } | null
  readonly log: Log
  readonly clock: Clock
  /** Where the place in the log is kept; made when it is missing. */
  readonly directory: string
  /** At least 32 bytes, the same on all nodes of an installation; asked for once, when there is a token. */
  readonly secret: () => Promise<string>
  readonly observer: Observer
}

/**
 * Starts telling Mixpanel from the stored place; without one from the beginning of the log, so that a new project gets
 * the whole history.
 */
export async function startAnalytics({
  mixpanel,
  log,
  clock,
  directory,
  secret,
  observer,
}: AnalyticsOptions): Promise<Worker> {
  if (mixpanel === null) return { lagMs: () => 0, stop: async () => undefined }
  await mkdir(directory, { recursive: true })
  // With a library that nobody else needs.
  const { mixpanelImport } = await import('./import.ts')
  const { followForMixpanel } = await import('./mixpanel.ts')
  return followForMixpanel({
    log,
    clock,
    send: mixpanelImport({ ...mixpanel, timeoutMs: TIMEOUT_MS, now: clock.now }),
    // Another project has got nothing yet, so it has a place of its own.
    checkpoints: checkpointFile(join(directory, `mixpanel-${hash('sha256', mixpanel.token).slice(0, 12)}.json`)),
    eventOf: eventsOf(log, pseudonyms(await secret())),
    observer,
  })
}

/**
 * What Mixpanel is told of an event, with what must be looked up for it. Rejects with LogUnavailable or PoisonEvent.
 */
export function eventsOf(log: Log, pseudonym: Pseudonyms): (recorded: Recorded) => Promise<MixpanelEvent | null> {
  const factsOf = lessonFacts(log)

  return async (recorded) => {
    try {
      const lesson = isOf('lesson', recorded) ? await factsOf(recorded.stream) : null
      return mixpanelEvent(recorded, lesson, pseudonym)
    } catch (error) {
      if (error instanceof LogUnavailable) throw error
      if (error instanceof UnreadableEvent) throw new PoisonEvent(error.message, { cause: error })
      // Without the error's text: it may quote the event, and with it somebody's name.
      throw new PoisonEvent(`this release does not understand ${recorded.event.type}`, { cause: error })
    }
  }
}
