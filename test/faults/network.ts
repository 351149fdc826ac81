import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startEventStore } from '../support/eventstore-standin.ts'
import { call, lessonOf } from '../support/lessons.ts'
import { type Line, openLine } from '../support/line.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { until } from './load.ts'
import { KINDS, type Kind, type Somebody, somebody } from './network-clients.ts'
import { addressedTo, type Chat, compareHeard, compareHeld, recordedIn } from './network-found.ts'

export interface Network {
  /** Of all three contracts; a third of each kind. */
  readonly clients: number
  readonly seconds: number
  readonly say?: (line: string) => void
}

export interface Found {
  readonly returns: number
  readonly recovered: number
  readonly kills: number
  /** Messages that were acknowledged, and how many times one was due to somebody. */
  readonly acked: number
  readonly due: number
  /** Of those: never heard; heard again by clients that say where they stand; by clients that do not. */
  readonly lost: number
  readonly doubled: number
  readonly doubledUnchanged: number
  readonly disordered: number
  /** What is wrong, in words. */
  readonly wrong: readonly string[]
}

const SETTLE_MS = 90_000
const CLIENTS_PER_LINE = 8

/**
 * A bad network for some time: two nodes on one log, and clients behind lines that are cut, frozen, half open, down,
 * and led to the other node, at random; nodes are killed. Then everything is mended, and what everybody has heard is
 * compared with the log, and what they hold with what a fresh client is told.
 */
export async function badNetwork({ clients: count, seconds, say = () => {} }: Network): Promise<Found> {
  const [eventStore, redis, root] = await Promise.all([
    startEventStore(),
    startRedis(),
    mkdtemp(join(tmpdir(), 'lyceum-network-')),
  ])
  const env = {
    ...{ EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url, DISCONNECT_GRACE_MS: '600000', LEASE_MS: '5000' },
    ...{ RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '1000000' },
  }
  /** Nodes that nobody killed, with their last words. */
  const died: string[] = []
  const killed = new Set<TestServer>()
  const kill = (node: TestServer | undefined): Promise<unknown> | undefined => {
    if (!node) return undefined
    killed.add(node)
    node.kill('SIGKILL')
    return node.ended
  }
  const start = async (n: number): Promise<TestServer> => {
    const node = await startServer({ data: join(root, String(n)), env })
    void node.ended.then((how) => {
      if (killed.has(node)) return
      died.push(`node ${n} ended by itself (${how}): ${lastWords(node)}`)
      say(died.at(-1) ?? '')
    })
    return node
  }
  const nodes = await Promise.all([start(0), start(1)])
  const urlOf = (n: number): string => nodes[n % 2]?.url ?? ''
  const lines: Line[] = []
  const everybody: Somebody[] = []
  try {
    const come = async (role: string, id: string, n: number): Promise<Somebody> => {
      const nth = Math.floor(everybody.length / CLIENTS_PER_LINE)
      lines[nth] ??= await openLine(urlOf(nth))
      const kind = KINDS[n % KINDS.length] as Kind
      const one = await somebody(lines[nth].url, role, `${id}-${kind}-${n}`, kind)
      everybody.push(one)
      await until(one.isConnected)
      return one
    }
    const share = Math.floor(count / 10)
    const chats: Chat[] = []
    let acked = 0
    for (let n = 0; n < share * 2; n++) {
      const [agent, visitor] = [
        await come('agent', 'agent', n),
        await come('visitor', 'visitor', n + Math.floor(n / 3)),
      ]
      await visitor.ask('visitor_first_msg', { content: { n: 0 } })
      const room = await roomOf(urlOf(0), visitor.id)
      await agent.ask('staff_join', { room })
      chats.push({ agent, visitor, room })
    }
    const tea = await tokenFor('teacher', 'tea')
    const lesson = (await lessonOf(urlOf(0), tea)).id
    const course = (await call(urlOf(0), tea, 'POST', '/courses', { title: 'C' })).body.data.id as string
    const students: Somebody[] = []
    for (let n = 0; n < share * 4; n++) students.push(await come('student', 'student', n))
    for (const one of students) await one.ask('join_lesson', { lesson_id: lesson })
    const watchers: Somebody[] = []
    for (let n = 0; n < share * 2; n++) watchers.push(await come('teacher', 'watcher', n))
    for (const one of watchers) {
      await call(urlOf(0), tea, 'POST', `/courses/${course}/teachers`, { teacher_id: one.id })
      await one.ask('subscribeToCourse', { course_id: course })
    }
    say(`${everybody.length} clients on ${lines.length} lines`)

    let running = true
    let kills = 0
    const trouble = lines.map(async (line, n) => {
      // Each is cut at the beginning: however short it is, there is somebody who comes back.
      await pause(500)
      line.cut()
      while (running) {
        await pause(500 + Math.random() * 6_000)
        if (running) await fault(line, n)
      }
    })
    async function fault(line: Line, n: number): Promise<void> {
      const awayMs = 200 + Math.random() * 3_000
      const how = Math.floor(Math.random() * 5)
      if (how === 0) return line.cut()
      if (how === 1) line.down()
      else line.freeze()
      await pause(awayMs)
      if (how === 2) return line.mend('thaw')
      if (how >= 3) line.drop() // the server goes on believing in these
      if (how === 4) line.leadTo(urlOf(n + Math.floor(Math.random() * 2)))
      line.mend()
    }
    const killing = (async () => {
      for (let n = 0; running; n++) {
        await pause(15_000 + Math.random() * 15_000)
        if (!running) return
        const victim = n % 2
        await kill(nodes[victim])
        kills++
        lines.forEach((line) => void line.leadTo(urlOf(victim + 1)))
        nodes[victim] = await start(victim)
        lines.forEach((line, nth) => void line.leadTo(urlOf(nth)))
      }
    })()
    const writing = chats.map(async ({ agent, visitor, room }, chat) => {
      for (let n = 1; running; n++) {
        const content = { chat, n }
        if (await agent.ask('staff_msg', { room, content })) acked++
        if (await visitor.ask('visitor_msg', { content })) acked++
        await pause(Math.random() * 1_500)
      }
    })
    const moving = (async () => {
      while (running) {
        await pause(3_000)
        await call(urlOf(0), tea, 'POST', `/courses/${course}/attendance-sessions`, {}).catch(() => {})
      }
    })()
    await pause(seconds * 1_000)
    running = false
    await Promise.all([...trouble, killing, moving])
    lines.forEach((line, nth) => {
      line.leadTo(urlOf(nth))
      line.drop() // also those that were frozen: as a network that is good again finds them
      line.mend()
    })
    say('the network is good again')
    await Promise.all(writing)
    await until(() => everybody.every((one) => one.isConnected()), SETTLE_MS).catch(() => {
      const away = everybody.filter((one) => !one.isConnected())
      throw new Error(`not in again: ${away.map((one) => `${one.id} (${one.refused})`).join(', ')}`)
    })

    const recorded = await recordedIn(eventStore.url)
    const addressed = addressedTo(chats, recorded)
    const { wrong: misheard, ...heard } = await compareHeard(addressed)
    const contents = [...recorded.values()].reduce((sum, its) => sum + its.toVisitor.length + its.toAgent.length, 0)
    const unrecorded = contents < acked ? [`${acked} messages were acknowledged, ${contents} are recorded`] : []
    const fresh = async (like: Somebody): Promise<Somebody> => {
      const one = await somebody(urlOf(1), like.role, like.id, 'typed')
      everybody.push(one)
      return one
    }
    const differs = await compareHeld({ chats, students, watchers, lesson, course, fresh })
    return {
      returns: everybody.reduce((sum, one) => sum + Math.max(0, one.arrivals - 1), 0),
      recovered: everybody.reduce((sum, one) => sum + one.recovered, 0),
      ...{ kills, acked, due: addressed.reduce((sum, { due }) => sum + due.length, 0) },
      ...heard,
      wrong: [...died, ...misheard, ...unrecorded, ...differs],
    }
  } finally {
    for (const one of everybody) one.close()
    await Promise.all(lines.map((line) => line.close()))
    await Promise.all(nodes.map(kill))
    eventStore.kill()
    await redis.stop()
    await rm(root, { recursive: true, force: true })
  }
}

/** What it said of its end, or else whatever it said last. */
function lastWords(node: TestServer): string {
  const lines = node.output().trim().split('\n')
  const grave = lines.filter((line) => !/^\{"level":[1-4]0/.test(line) || line.includes('nobody caught'))
  return [...grave.slice(1), ...lines.slice(-1)].join('\n').slice(-10_000)
}

async function roomOf(url: string, visitor: string): Promise<string> {
  const admin = await tokenFor('admin', 'network-admin')
  let room: string | undefined
  await until(async () => {
    room = (await call(url, admin, 'GET', `/chats?visitor=${visitor}`)).body.data?.[0]?.id
    return room !== undefined
  })
  return room ?? ''
}
