import { expect, it } from 'vitest'
import type { EventStoreStandin } from '../support/eventstore-standin.ts'
import { standinStore } from '../support/eventstore-standin-store.ts'
import { aLog, aServer, followed, noted, until } from '../support/eventstore-standin-world.ts'
import { slowly } from '../support/slowness.ts'

/** Two members of one cluster; gossip names `leader()` first. */
async function aCluster(leader: () => number): Promise<readonly [EventStoreStandin, EventStoreStandin]> {
  const store = standinStore()
  const ports: number[] = []
  const members = () => [...ports.slice(leader()), ...ports.slice(0, leader())]
  const cluster = [await aServer({ store, members }), await aServer({ store, members })] as const
  ports.push(...cluster.map(({ port }) => port))
  return cluster
}

it('[ESDB-1] a leader that is frozen is left for the one that gossip names, however late it does', async () => {
  let leader = 0
  const cluster = await aCluster(() => leader)
  const hosts = cluster.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const patience = { attemptMs: slowly(300), totalMs: slowly(60_000) }
  const log = await aLog(`esdb://${hosts}?tls=false&gossipTimeout=1&discoveryInterval=20`, { patience })
  const following = followed(log)
  await log.append('notes-1', -1, [noted(0)])
  await until(() => following.numbers.length === 1)

  cluster[0].freeze()
  const appending = log.append('notes-1', 0, [noted(1)])
  // Gossip goes on naming the frozen one: it is tried, and looked past.
  const asked = cluster[1].calls.gossip ?? 0
  await until(() => (cluster[1].calls.gossip ?? 0) > asked + 1)
  leader = 1
  expect((await appending).revision).toBe(1)
  // The subscription was on the frozen one, too: nothing ended it.
  await until(() => following.numbers.length === 2)
  expect(cluster[1].store.all).toHaveLength(2)
})

it('[ESDB-1] one call that takes too long, and others that are answered, leave the connection as it is', async () => {
  let lost = 0
  const server = await aServer({
    behaviour: { onAppend: (stream) => (stream === 'notes-1' && lost++ < 4 ? 'lose' : 'answer') },
  })
  const log = await aLog(server, { patience: { attemptMs: slowly(200), totalMs: slowly(60_000) } })
  const following = followed(log)
  const appending = log.append('notes-1', -1, [noted(0)])
  let revision = -1
  while (lost < 4) await log.append('notes-2', revision, [noted(++revision)])
  await appending
  await until(() => following.numbers.length === revision + 2)
  expect([server.calls.batchCall, server.calls.subscribe]).toEqual([1, 1])
})
