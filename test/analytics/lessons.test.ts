import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { systemClock } from '../../src/clock.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Log } from '../../src/log/log.ts'
import { checkpointFile } from '../../src/outbound/checkpoint.ts'
import { type MixpanelStandin, startMixpanel } from '../support/mixpanel-standin.ts'
import { comesOnline, follower, insertIds, pseudonym, record, TOKEN } from './world.ts'

const at = 1_700_000_000_000

let directory: string
let mixpanel: MixpanelStandin
let log: Log

const openLog = (): Promise<Log> =>
  openEmbeddedLog({
    path: join(directory, 'log'),
    codec: codec(eventSchemas),
    now: systemClock.now,
    onFatal(error) {
      throw error
    },
  })

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lyceum-analytics-'))
  mixpanel = await startMixpanel(TOKEN)
  log = await openLog()
})
afterEach(async () => {
  await log.close()
  await mixpanel.die()
  await rm(directory, { recursive: true, force: true })
})

/** A lesson of Thea's with one participant who drops and comes back; resolves to the ids of its events. */
function lesson(id: string): Promise<string[]> {
  const ada = { participantId: 'ada', role: 'student' } as const
  const events: readonly LessonEvent[] = [
    {
      type: 'LessonScheduled',
      org: 'acme',
      teacherId: 'thea',
      title: 'Ada reads Euclid',
      startsAt: at,
      plannedMinutes: 45,
      code: 'QX7MFK',
    },
    { type: 'LessonStarted', at: at + 1, dueAt: at + 2 },
    { type: 'ParticipantJoined', ...ada, name: 'Ada Lovelace', at: at + 2, home: 'acme', presence: at },
    { type: 'ParticipantReconnected', ...ada, awayMs: 4_000, at: at + 6_002 },
    { type: 'LessonEnded', reason: 'ended', by: 'thea', at: at + 9_000 },
  ]
  return record(log, `lesson-${id}`, ...events)
}

test(
  '[MIX-8] a lesson is told with its organisation, its teacher, and who came back after how many ' + 'seconds',
  async () => {
    const [, started = '', , reconnected = '', ended = ''] = await lesson('l1')
    const one = follower(log, mixpanel)
    await mixpanel.until(() => mixpanel.counted().length === 3)
    await one.stop()
    expect(insertIds(mixpanel)).toEqual([started, reconnected, ended])
    expect(
      mixpanel
        .counted()
        .map(({ event, properties }) => [event, properties.distinct_id, properties.lesson_id, properties.org_id]),
    ).toEqual([
      ['lesson_started', pseudonym('acme.thea'), 'l1', 'acme'],
      ['reconnect', pseudonym('acme.ada'), 'l1', 'acme'],
      ['lesson_ended', pseudonym('acme.thea'), 'l1', 'acme'],
    ])
    expect(mixpanel.counted()[1]?.properties).toMatchObject({ role: 'student', seconds_away: 4, time: at + 6_002 })
  },
)

test('[MIX-9] no request holds a name, a title, a code or the id of a person', async () => {
  await lesson('l1')
  await comesOnline(log, 'ada', at)
  const one = follower(log, mixpanel)
  await mixpanel.until(() => mixpanel.counted().length === 4)
  await one.stop()
  const sent = mixpanel.requests.map(({ url, headers, body }) => url + JSON.stringify(headers) + body).join()
  // Whole words: the hexadecimal digits of an event's id may well say "ada".
  expect(sent).not.toMatch(/\bada\b|\bthea\b|lovelace|euclid|QX7MFK/i)
})

test('[MIX-6] a lesson that goes on after a restart is told to its end, once', async () => {
  const checkpoints = checkpointFile(join(directory, 'place.json'))
  await lesson('l1')
  const first = follower(log, mixpanel, { checkpoints, clock: systemClock, everyMs: 10 })
  await mixpanel.until(() => mixpanel.counted().length === 3)
  await first.stop()
  await log.close()
  log = await openLog()
  await lesson('l2')
  const second = follower(log, mixpanel, { checkpoints, clock: systemClock, everyMs: 10 })
  await mixpanel.until(() => mixpanel.counted().length === 6)
  await second.stop()
  expect(mixpanel.mostCopies()).toBe(1)
})
