import { expect, onTestFinished, test } from 'vitest'
import { factsOf, violations } from '../support/history-checker.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { slowly } from '../support/slowness.ts'
import { openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'

const LEASE_MS = slowly(1_500)
const GRACE_MS = slowly(1_500)

test(
  '[NODE-3] a node that freezes is given up, and when it wakes it adds nothing to what was decided ' + 'without it',
  async () => {
    const cluster = await openCluster(2, { LEASE_MS: String(LEASE_MS), DISCONNECT_GRACE_MS: String(GRACE_MS) })
    onTestFinished(cluster.close)
    const load = await openLoad({ urls: cluster.urls, chats: 8, agents: 2, supervisors: 2, paceMs: 20 })
    onTestFinished(load.close)
    load.start()
    await until(() => load.acked() > 100)

    // Visitor i is on node (i + 1) % 2 and their agent on the other one: each chat has somebody on the node that
    // freezes.
    cluster.nodes[1]?.kill('SIGSTOP')
    const closed = async () => factsOf(await cluster.recorded()).filter(({ type }) => type === 'ChatClosed')
    await until(async () => (await closed()).length === load.rooms.length, PATIENCE_MS + LEASE_MS + GRACE_MS)
    cluster.nodes[1]?.kill('SIGCONT')
    await load.pause() // whoever was writing is told that the chat has ended

    // It finds its people recorded as gone while it holds their sockets, and puts that right.
    const there = [load.agents[1], load.supervisors[1], ...load.visitors.filter((_, i) => i % 2 === 0)]
    const presences = there.map((client) => `presence-acme.${client?.name}`)
    await until(async () => {
      const last = new Map((await cluster.recorded()).map(({ stream, event }) => [stream, event.type]))
      return presences.every((stream) => last.get(stream) === 'CameOnline')
    })
    await Promise.all(load.visitors.map((visitor) => visitor.write('visitor_first_msg')))
    expect(await closed()).toHaveLength(load.rooms.length)
    expect(load.everybody.filter(({ refusals }) => refusals.has('internal'))).toEqual([])
    expect(violations({ facts: factsOf(await cluster.recorded()), ...load.history() })).toEqual([])
  },
)
