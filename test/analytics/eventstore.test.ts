import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { systemClock } from '../../src/clock.ts'
import { codec } from '../../src/log/codec.ts'
import { aLog, aServer } from '../support/eventstore-standin-world.ts'
import { startMixpanel } from '../support/mixpanel-standin.ts'
import { comesOnline, follower, insertIds, notes, placeInMemory, TOKEN } from './world.ts'

test('[MIX-6] a log in EventStoreDB is told like any other, and gone on with after a restart', async () => {
  const mixpanel = await startMixpanel(TOKEN)
  onTestFinished(() => mixpanel.die())
  const log = await aLog(await aServer(), { codec: codec(eventSchemas) })
  const checkpoints = placeInMemory()
  const { heard, observer } = notes()
  const options = { checkpoints, observer, clock: systemClock, everyMs: 10 }
  const ids = [await comesOnline(log, 'ada', 1_700_000_000_000), await comesOnline(log, 'bob', 1_700_000_000_001)]
  const first = follower(log, mixpanel, options)
  await mixpanel.until(() => mixpanel.counted().length === 2)
  await first.stop()
  expect(checkpoints.current()).not.toBeNull()
  ids.push(await comesOnline(log, 'cyd', 1_700_000_000_002))
  const second = follower(log, mixpanel, options)
  await mixpanel.until(() => mixpanel.counted().length === 3)
  await second.stop()
  expect(insertIds(mixpanel)).toEqual(ids)
  expect(mixpanel.mostCopies()).toBe(1)
  expect(heard.errors).toEqual([])
})
