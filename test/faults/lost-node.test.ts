import { expect, onTestFinished, test } from 'vitest'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import type { Recorded } from '../../src/log/log.ts'
import { factsOf, violations } from '../support/history-checker.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { slowly } from '../support/slowness.ts'
import { openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'

const LEASE_MS = slowly(1_500)
const GRACE_MS = slowly(2_500)

test(
  '[NODE-2] [CHAT-15] a node dies: who comes back to another one keeps their chat, who does not is ' +
    'found by their lease and loses it after the grace',
  async () => {
    const cluster = await openCluster(3, { LEASE_MS: String(LEASE_MS), DISCONNECT_GRACE_MS: String(GRACE_MS) })
    onTestFinished(cluster.close)
    const load = await openLoad({ urls: cluster.urls, chats: 18, agents: 6, supervisors: 3, paceMs: 20 })
    onTestFinished(load.close)
    load.start()
    await until(() => load.acked() > 200)

    // Client i of its kind is on node i % 3, visitors one further on. Node 2 dies with its people: every other visitor
    // stays away.
    const theirs = load.visitors.filter((_, i) => (i + 1) % 3 === 2)
    const away = theirs.filter((_, i) => i % 2 === 0)
    // one room for each visitor
    const awayRooms = new Set(load.rooms.filter((_, i) => away.includes(load.visitors[i] as (typeof away)[number])))
    for (const client of load.everybody) client.moveTo(cluster.urls[0] ?? '')
    cluster.nodes[2]?.kill('SIGKILL')
    await cluster.nodes[2]?.ended
    for (const visitor of away) visitor.vanish()
    const dead = Date.now()

    const closed = (log: readonly Recorded[]) => factsOf(log).filter(({ type }) => type === 'ChatClosed')
    await until(
      async () => closed(await cluster.recorded()).length >= awayRooms.size,
      PATIENCE_MS + LEASE_MS + GRACE_MS,
    )
    const acked = load.acked()
    await until(() => load.acked() > acked + 100)
    await load.pause()

    const log = await cluster.recorded()
    expect(new Set(closed(log).map(({ room }) => room))).toEqual(awayRooms)
    expect(closed(log)).toHaveLength(awayRooms.size)
    for (const { name } of away) {
      const edges = log.filter(({ stream }) => stream === `presence-acme.${name}`)
      expect(edges.map(({ event }) => event.type)).toEqual(['CameOnline', 'ConnectionLost', 'WentOffline'])
      const [, lost, gone] = edges as [Recorded, Recorded, Recorded] // see the line before
      const { until: graceEnds } = lost.event as Extract<PresenceEvent, { type: 'ConnectionLost' }> // likewise
      expect(graceEnds).toBeGreaterThan(dead + GRACE_MS) // nobody could know earlier
      expect(gone.at).toBeGreaterThanOrEqual(graceEnds)
    }
    const refused = load.everybody.filter(({ refusals }) => refusals.has('internal')).map(({ name }) => name)
    expect(refused).toEqual([])
    expect(violations({ facts: factsOf(log), ...load.history() })).toEqual([])
  },
)
