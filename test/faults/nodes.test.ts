import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { factsOf, violations } from '../support/history-checker.ts'
import { claimRace } from './claim-race.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await openCluster(3)
})
afterAll(() => cluster.close())

test('writers on three nodes: exactly once, in one order that every node tells', { timeout: 60_000 }, async () => {
  const load = await openLoad({ urls: cluster.urls, chats: 30, agents: 6, supervisors: 3, paceMs: 20 })
  onTestFinished(load.close)
  load.start()
  await until(() => load.acked() > 1_500, 30_000)
  await load.pause()
  const facts = factsOf(await cluster.recorded())
  const last = facts.at(-1)?.id
  const listeners = load.supervisors.map(({ connections }) => connections[0])
  await until(() => listeners.every((listener) => listener?.pushes.at(-1)?.id === last))

  expect(violations({ facts, ...load.history() })).toEqual([])
  const [one, ...others] = listeners.map((listener) => listener?.pushes.map(({ name, id }) => `${name} ${id}`))
  expect(one?.length).toBeGreaterThan(1_500)
  for (const other of others) expect(other).toEqual(one)
  expect(cluster.logged('error')).toEqual([])
})

test('a chat that is claimed through three nodes at once is won once', { timeout: 60_000 }, async () => {
  const race = await claimRace({ urls: cluster.urls, agents: 60, visitors: 150, claimers: 6 })
  expect(race).toEqual({ claims: 900, won: 150, violations: [] })
})

test('the views that three nodes keep together are what the log says', { timeout: 60_000 }, async () => {
  expect(await cluster.verify()).toMatch(/chats: equal/)
})
