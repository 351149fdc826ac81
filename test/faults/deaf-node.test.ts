import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { openCluster } from './cluster.ts'
import { until } from './load.ts'

test(
  '[NODE-6] [GRACE-3] a node that nobody can ask for a moment loses none of its people: their chats ' +
    'go on, whatever closes elsewhere',
  async () => {
    const cluster = await openCluster(2, { DISCONNECT_GRACE_MS: String(slowly(3_000)) })
    onTestFinished(cluster.close)
    const redis = new Redis(cluster.redis.url)
    onTestFinished(() => redis.disconnect())
    const clients: Client[] = []
    onTestFinished(() => {
      for (const client of clients) client.close()
    })
    const [first, second] = cluster.nodes as [TestServer, TestServer] // two were started
    const come = async (node: TestServer, id: string): Promise<Client> => {
      const client = await connect(node.url, { auth: { token: await tokenFor('visitor', id) } })
      clients.push(client)
      return client
    }
    const edges = async (id: string) =>
      (await cluster.recorded()).filter(({ stream }) => stream === `presence-acme.${id}`).map(({ event }) => event.type)

    const [one, other, there] = [await come(first, 'vera'), await come(first, 'vera'), await come(second, 'vera')]
    expect(await there.ask('visitor_first_msg', { text: 'hello' })).toEqual([true, null])
    const witness = await come(first, 'witness')
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    one.close()
    other.close()
    witness.socket.io.engine.close()
    // By then every grace that began with the closings is over.
    await until(async () => (await edges('witness')).includes('WentOffline'))
    expect(await edges('vera')).not.toContain('WentOffline')
    expect(await there.ask('visitor_msg', { text: 'still here' })).toEqual([true, null])
  },
)
