import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { factsOf, violations } from '../support/history-checker.ts'
import { sized } from '../support/sized.ts'
import { claimRace } from './claim-race.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'
import { type Tireless, tireless } from './tireless.ts'

const MESSAGES = sized(400, 800)
const CHATS = sized(40, 150)

let cluster: Cluster

beforeAll(async () => {
  cluster = await openCluster(3)
})
afterAll(() => cluster.close())

test('[NODE-1] [PUSH-14] writers on three nodes: exactly once, in one order that every node tells', async () => {
  const load = await openLoad({ urls: cluster.urls, chats: 30, agents: 6, supervisors: 3, paceMs: 20 })
  onTestFinished(load.close)
  load.start()
  await until(() => load.acked() > MESSAGES)
  await load.pause()
  const facts = factsOf(await cluster.recorded())
  const last = facts.at(-1)?.id
  const listeners = load.supervisors.map(({ connections }) => connections[0])
  await until(() => listeners.every((listener) => listener?.pushes.at(-1)?.id === last))

  expect(violations({ facts, ...load.history() })).toEqual([])
  const [one, ...others] = listeners.map((listener) => listener?.pushes.map(({ name, id }) => `${name} ${id}`))
  expect(one?.length).toBeGreaterThan(MESSAGES)
  for (const other of others) expect(other).toEqual(one)
  expect(cluster.logged('error')).toEqual([])
})

test('[CHAT-4] a chat that is claimed through three nodes at once is won once', async () => {
  const race = await claimRace({ urls: cluster.urls, agents: sized(24, 60), visitors: CHATS, claimers: 6 })
  expect(race).toEqual({ claims: CHATS * 6, won: CHATS, violations: [] })
})

test('[ROOM-11] an awake room learns from what it hears: a message is one append and no look', async () => {
  const [visitor, agent] = await Promise.all([
    tireless({ url: cluster.urls[0] ?? '', role: 'visitor', name: 'vera' }),
    tireless({ url: cluster.urls[1] ?? '', role: 'agent', name: 'ada' }),
  ])
  onTestFinished(visitor.close)
  onTestFinished(agent.close)
  const { room } = await visitor.write('visitor_first_msg')
  await agent.call('staff_join', { room })
  /** Written by the one, and heard by the other: so that the other's node has it. */
  const told = async (from: Tireless, to: Tireless, event: string): Promise<void> => {
    const { seq } = await from.write(event, from === agent ? { room } : {})
    await until(() => to.connections.some(({ pushes }) => pushes.some((push) => push.seq === seq)))
  }
  await told(visitor, agent, 'visitor_msg')
  const before = { ...cluster.log.calls }
  for (let i = 0; i < 50; i++) {
    await told(agent, visitor, 'staff_msg')
    await told(visitor, agent, 'visitor_msg')
  }
  const since = (call: string): number => (cluster.log.calls[call] ?? 0) - (before[call] ?? 0)
  expect(since('append')).toBe(100)
  expect(since(`read chat-${room}`)).toBeLessThan(10)
})

test('the views that three nodes keep together are what the log says', async () => {
  expect(await cluster.verify()).toMatch(/chats: equal/)
})

test('[NODE-4] a node that is told to stop under load ends well, and its people go on at the others', async () => {
  const load = await openLoad({ urls: cluster.urls, chats: 12, agents: 3, supervisors: 3, tag: 'rolling-', paceMs: 20 })
  onTestFinished(load.close)
  load.start()
  await until(() => load.acked() > 100)
  for (const client of load.everybody) client.moveTo(cluster.urls[0] ?? '')
  expect(await cluster.nodes[2]?.stop()).toBe(0)
  const before = load.acked()
  await until(() => load.acked() > before + 200)
  await load.pause()
  const facts = factsOf(await cluster.recorded())
  expect(violations({ facts, ...load.history() })).toEqual([])
  expect(facts.filter(({ room, type }) => type === 'ChatClosed' && load.rooms.includes(room))).toEqual([])
  for (const { endings } of load.everybody) expect(endings).not.toContain('io server disconnect')
})
