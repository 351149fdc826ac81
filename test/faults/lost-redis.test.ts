import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { factsOf, violations } from '../support/history-checker.ts'
import { sized } from '../support/sized.ts'
import { slowly } from '../support/slowness.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await openCluster(2, { LEASE_MS: String(slowly(2_000)) })
})
afterAll(() => cluster.close())

test(
  '[NODE-5] Redis is emptied, killed, frozen and comes back under load: commands go on, nobody is ' +
    'lost, the views are right again',
  async () => {
    const load = await openLoad({ urls: cluster.urls, chats: 16, agents: 4, supervisors: 2, paceMs: 20 })
    onTestFinished(load.close)
    load.start()
    const goOn = async (): Promise<void> => {
      const before = load.acked()
      await until(() => load.acked() > before + sized(75, 150))
    }
    await goOn()
    await cluster.flush()
    await goOn()
    await cluster.redis.kill()
    await goOn() // without any Redis
    await cluster.redis.restart()
    await goOn()
    cluster.redis.pause()
    await goOn() // with one that does not answer
    cluster.redis.resume()
    await goOn()
    await load.pause()

    let verified = ''
    await until(async () => {
      verified = await cluster.verify().catch((error: Error) => `not yet: ${error.message}`)
      return !verified.startsWith('not yet')
    }).catch(() => {})
    for (const view of ['chats', 'online', 'people']) expect(verified).toContain(`${view}: equal`)
    const facts = factsOf(await cluster.recorded())
    expect(violations({ facts, ...load.history() })).toEqual([])
    expect(facts.filter(({ type }) => type === 'ChatClosed')).toEqual([])
    expect(load.everybody.filter(({ connections }) => connections.length > 1).map(({ name }) => name)).toEqual([])
    // Two nodes that write to one chat may have to give way to each other; nothing else is refused.
    const codes = load.everybody.flatMap(({ refusals }) => [...refusals.keys()])
    expect(codes.filter((code) => code !== 'busy')).toEqual([])
  },
)
