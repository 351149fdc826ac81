import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import type { Log } from '../../src/log/log.ts'
import { openMetrics } from '../../src/observe/metrics.ts'
import type { Worker } from '../../src/outbound/worker.ts'
import { tellMixpanel } from '../../src/tell-mixpanel.ts'
import { type MixpanelStandin, startMixpanel } from '../support/mixpanel-standin.ts'
import { analyticsLog, comesOnline, hurriedClock, TOKEN } from './world.ts'

const at = 1_700_000_000_000

let directory: string
let mixpanel: MixpanelStandin
let log: Log
let metrics: ReturnType<typeof openMetrics>
let written: string[]
const running: Worker[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lyceum-mixpanel-'))
  mixpanel = await startMixpanel(TOKEN)
  log = analyticsLog()
  written = []
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
  metrics.stop()
  await log.close()
  await mixpanel.die()
  await rm(directory, { recursive: true, force: true })
})

/** As the server starts it, with this environment. */
async function tell(env: Readonly<Record<string, string>>): Promise<Worker> {
  metrics = openMetrics()
  const told = await tellMixpanel({
    config: readConfig({ LYCEUM_DATA: directory, MIXPANEL_HOST: mixpanel.url, ...env }),
    log,
    clock: hurriedClock(at),
    logger: pino({ level: 'info' }, { write: (line: string) => void written.push(line) }),
    metrics: metrics.analytics,
    onError(error) {
      throw error
    },
  })
  running.push(told)
  return told
}

const metric = async (name: string): Promise<string | undefined> =>
  new RegExp(`^${name} (.*)$`, 'm').exec(await metrics.page())?.[1]

test('[MIX-10] without a token nothing is sent, and nothing is kept for it', async () => {
  await comesOnline(log, 'ada', at)
  const one = await tell({})
  await one.stop()
  expect(mixpanel.connections()).toBe(0)
  expect(await readdir(directory)).toEqual([])
})

test('[MIX-9] the secret of the pseudonyms is made when none is set, readable by its owner only', async () => {
  await tell({ MIXPANEL_TOKEN: TOKEN })
  expect((await stat(join(directory, 'analytics-secret'))).mode & 0o777).toBe(0o600)
})

test('[MIX-9] two nodes with the same JWT_SECRET tell the same events, and Mixpanel counts each once', async () => {
  await comesOnline(log, 'ada', at)
  const env = { MIXPANEL_TOKEN: TOKEN, JWT_SECRET: 'a secret of the tests, thirty-two bytes and more' }
  await tell(env)
  await mixpanel.until(() => mixpanel.requests.length === 1)
  await tell({ ...env, LYCEUM_DATA: join(directory, 'second') })
  await mixpanel.until(() => mixpanel.mostCopies() === 2)
  expect(mixpanel.counted()).toHaveLength(1)
  expect(await readdir(directory)).toEqual(['analytics', 'second'])
})

test('[MIX-6] another project gets the whole history', async () => {
  await comesOnline(log, 'ada', at)
  const first = await tell({ MIXPANEL_TOKEN: TOKEN })
  await mixpanel.until(() => mixpanel.counted().length === 1)
  await first.stop()
  const other = await startMixpanel('other-token')
  await tell({ MIXPANEL_TOKEN: 'other-token', MIXPANEL_HOST: other.url })
  await other.until(() => other.counted().length === 1)
  await other.die()
})

test(
  '[MIX-11] figures and log lines say what was sent, repeated and set aside, without anything ' + 'personal',
  async () => {
    for (const id of ['ada', 'bob', 'cyd']) await comesOnline(log, id, at)
    mixpanel.misbehave({ kind: 'status', status: 401 })
    let first: string | undefined
    mixpanel.refuse({
      invalid({ properties }) {
        first ??= properties.$insert_id
        return properties.$insert_id === first
      },
      how: 'explained',
    })
    await tell({ MIXPANEL_TOKEN: TOKEN })
    await mixpanel.until(() => mixpanel.counted().length === 2)
    await expect.poll(() => metric('lyceum_mixpanel_events_total\\{outcome="sent"\\}')).toBe('2')
    expect(await metric('lyceum_mixpanel_events_total\\{outcome="set-aside"\\}')).toBe('1')
    expect(await metric('lyceum_mixpanel_retries_total')).toBe('1')
    expect(await metric('lyceum_mixpanel_lag_seconds')).toBe('0')
    const lines = written.map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { level: 40, why: expect.stringContaining('check MIXPANEL_TOKEN') },
      { level: 50, stream: 'presence-acme.ada', why: 'event: is invalid' },
    ])
    expect(written.join()).not.toContain(TOKEN)
  },
)
