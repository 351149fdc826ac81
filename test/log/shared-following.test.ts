import { expect, it, onTestFinished } from 'vitest'
import type { Log } from '../../src/log/log.ts'
import { shareFollowing } from '../../src/log/shared-following.ts'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import { aLog, aServer, followed, noted, until, upTo } from '../support/eventstore-standin-world.ts'

async function shared(): Promise<{ readonly log: Log; readonly server: EventStoreStandin }> {
  const server = await aServer()
  const log = shareFollowing(await aLog(server))
  onTestFinished(() => log.close())
  return { log, server }
}
const append = async (log: Log, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n++) await log.append('notes-1', n - 1, [noted(n)])
}
/** Events that the server has sent to subscriptions. */
const sent = (server: EventStoreStandin): number => server.calls.sent ?? 0

it('[ESDB-6] whoever has caught up hears what is new with the others, each event sent once', async () => {
  const { log, server } = await shared()
  await append(log, 0, 5)
  const all = [followed(log), followed(log), followed(log)]
  await until(() => all.every(({ caughtUp }) => caughtUp() === 1))
  await append(log, 5, 6) // whoever is not with the others yet comes to them with the next event
  await until(() => all.every(({ numbers }) => numbers.length === 6))
  const before = sent(server)
  await append(log, 6, 106)
  await until(() => all.every(({ numbers }) => numbers.length === 106))
  expect(sent(server) - before).toBeLessThanOrEqual(103)
  for (const { numbers, caughtUp } of all) expect([numbers, caughtUp()]).toEqual([upTo(106), 1])
})

it('[ESDB-6] whoever is too slow for the others goes on alone, and misses and repeats nothing', async () => {
  const { log } = await shared()
  const held = Promise.withResolvers<void>()
  let holds = false
  const [slow, quick] = [
    followed(log, {
      async each() {
        if (holds) await held.promise
      },
    }),
    followed(log),
  ]
  await until(() => slow.caughtUp() === 1 && quick.caughtUp() === 1)
  await append(log, 0, 2)
  await until(() => slow.numbers.length === 2 && quick.numbers.length === 2)
  holds = true
  const more = upTo(1_500).map((n) => log.append(`other-${n}`, -1, [noted(n + 2)]))
  await Promise.all(more)
  await until(() => quick.numbers.length === 1_502)
  held.resolve()
  await until(() => slow.numbers.length === 1_502)
  expect(slow.numbers).toEqual(quick.numbers)
  expect(slow.caughtUp()).toBe(1)
})

it('[ESDB-6] one that fails, and one that is stopped, leave the others alone', async () => {
  const { log, server } = await shared()
  const failing = followed(log, {
    each(batch) {
      if (batch.some(({ revision }) => revision === 3)) throw new Error('not this one')
    },
  })
  const [stopped, staying] = [followed(log), followed(log)]
  await until(() => [failing, stopped, staying].every(({ caughtUp }) => caughtUp() === 1))
  await append(log, 0, 5)
  await until(() => staying.numbers.length === 5 && stopped.numbers.length === 5)
  expect(failing.errors).toEqual([new Error('not this one')])
  await stopped.stop()
  server.dropSubscriptions()
  await append(log, 5, 8)
  await until(() => staying.numbers.length === 8)
  expect(staying.numbers).toEqual(upTo(8))
  expect(stopped.numbers).toEqual(upTo(5))
  expect(staying.errors).toEqual([])
})
