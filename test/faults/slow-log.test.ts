import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { factsOf, violations } from '../support/history-checker.ts'
import { sized } from '../support/sized.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'
import { type Tireless, tireless } from './tireless.ts'

const MAILBOX = 256
const FLOOD = 1_000
/** Messages under way before and after each fault. */
const SOME = sized(100, 200)
const ROUNDS = sized(2, 3)

let cluster: Cluster

beforeEach(async () => {
  cluster = await openCluster(1)
  return () => cluster.close()
})

async function enter(role: 'visitor' | 'agent', name: string): Promise<Tireless> {
  const client = await tireless({ url: cluster.urls[0] ?? '', role, name })
  onTestFinished(client.close)
  await until(client.connected)
  return client
}

test.each(['visitor', 'agent'] as const)(
  '[ROOM-5] a log that is slow: what the %s floods one chat with is refused at once, others go on',
  async (who) => {
    const [visitor, agent, other] = await Promise.all([
      enter('visitor', 'vera'),
      enter('agent', 'ada'),
      enter('visitor', 'otto'),
    ])
    const { room } = await visitor.write('visitor_first_msg')
    await Promise.all([agent.call('staff_join', { room }), other.write('visitor_first_msg')])

    cluster.log.behaviour.appendDelayMs = 800
    const flooding = who === 'visitor' ? visitor : agent
    const answers: string[] = []
    const ask = (n: number): Promise<void> =>
      new Promise((resolve) => {
        const content = { call: `flood-${n}` }
        const data =
          who === 'visitor' ? { content, client_id: `flood-${n}` } : { room, content, client_id: `flood-${n}` }
        flooding.socket.emit(
          who === 'visitor' ? 'visitor_msg' : 'staff_msg',
          data,
          (ok: boolean, _: unknown, place: { code?: string }) => {
            answers.push(ok ? 'ok' : (place.code ?? ''))
            resolve()
          },
        )
      })
    const asked = Array.from({ length: FLOOD }, (_, n) => ask(n))
    // The mailbox is full before the log has answered anything.
    await until(() => answers.length > 0)
    expect(answers[0]).toBe('overloaded')
    expect((await other.write('visitor_msg')).ok).toBe(true)
    // so the other one was not behind all of them
    expect(answers.filter((answer) => answer === 'ok').length).toBeLessThan(MAILBOX)
    cluster.log.behaviour.appendDelayMs = 0
    await Promise.all(asked)

    const accepted = answers.filter((answer) => answer === 'ok').length
    expect(new Set(answers)).toEqual(new Set(['ok', 'overloaded']))
    expect(accepted).toBeGreaterThanOrEqual(MAILBOX)
    expect(accepted).toBeLessThan(FLOOD / 2)
    const facts = factsOf(await cluster.recorded())
    expect(facts.filter(({ call }) => call?.startsWith('flood-'))).toHaveLength(accepted)
    expect(violations({ facts, acked: other.acked, connections: [] })).toEqual([])
  },
)

test(
  '[ROOM-8] a log that freezes: commands are answered "unavailable", and their repeats neither lose ' +
    'nor double anything',
  async () => {
    const load = await openLoad({ urls: cluster.urls, chats: 10, agents: 2, supervisors: 1, paceMs: 10 })
    onTestFinished(load.close)
    load.start()
    await until(() => load.acked() > SOME)
    cluster.log.freeze()
    await until(() => load.visitors.some(({ refusals }) => refusals.has('unavailable')))
    cluster.log.thaw()
    const before = load.acked()
    await until(() => load.acked() > before + SOME)
    await load.pause()
    expect(load.everybody.every((client) => client.connected())).toBe(true)
    expect(violations({ facts: factsOf(await cluster.recorded()), ...load.history() })).toEqual([])
  },
)

test(
  '[ROOM-10] a log that writes without answering, breaks off and comes back: nothing is lost or ' + 'doubled',
  async () => {
    const load = await openLoad({ urls: cluster.urls, chats: 20, agents: 4, supervisors: 1, paceMs: 10 })
    onTestFinished(load.close)
    load.start()
    for (let round = 0; round < ROUNDS; round++) {
      const before = load.acked()
      await until(() => load.acked() > before + SOME)
      // Everything that arrives from now on is written and never answered, until the connections break.
      const silenced = new Set<string>()
      cluster.log.behaviour.onAppend = (stream) => {
        silenced.add(stream)
        return 'keep-silent'
      }
      await until(() => silenced.size > 5)
      cluster.log.kill()
      cluster.log.behaviour.onAppend = () => 'answer'
      await cluster.log.restart()
    }
    const before = load.acked()
    await until(() => load.acked() > before + SOME)
    await load.pause()
    expect(violations({ facts: factsOf(await cluster.recorded()), ...load.history() })).toEqual([])
  },
)
