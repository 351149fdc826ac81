import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import { idIn } from '../../machines/stream.ts'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { startEventStore } from '../support/eventstore-standin.ts'
import { call, lessonOf } from '../support/lessons.ts'
import { type Line, openLine } from '../support/line.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { until } from './load.ts'
import { KINDS, type Kind, type Somebody, somebody } from './network-clients.ts'

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
  const start = (n: number): Promise<TestServer> => startServer({ data: join(root, String(n)), env })
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
    const chats: { readonly visitor: Somebody; readonly agent: Somebody; readonly room: string }[] = []
    const said: Said[] = []
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
        nodes[victim]?.kill('SIGKILL')
        await nodes[victim]?.ended
        kills++
        lines.forEach((line) => void line.leadTo(urlOf(victim + 1)))
        nodes[victim] = await start(victim)
        lines.forEach((line, nth) => void line.leadTo(urlOf(nth)))
      }
    })()
    const writing = chats.map(async ({ agent, visitor, room }, chat) => {
      for (let n = 1; running; n++) {
        const content = { chat, n }
        if (await agent.ask('staff_msg', { room, content })) said.push({ chat, n, by: 'agent' })
        if (await visitor.ask('visitor_msg', { content })) said.push({ chat, n, by: 'visitor' })
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

    // What was said, by the log; and who is to have heard it.
    const log = await openEventStoreLog({ url: eventStore.url, codec: codec(eventSchemas) })
    const recorded = new Map<string, { visitor: number[]; agent: number[] }>()
    for await (const batch of log.readAll())
      for (const { stream, event, revision } of batch) {
        const room = idIn('chat', stream)
        if (room === null) continue
        const its = recorded.get(room) ?? { visitor: [], agent: [] }
        recorded.set(room, its)
        const { type } = event as ChatEvent
        if (type === 'StaffWrote') its.visitor.push(revision)
        if (type === 'VisitorWrote') its.agent.push(revision)
      }
    await log.close()
    const heardBy = (one: Somebody, name: string): number[] =>
      one.heard.flatMap((push) => (push.name === name ? [push.data.seq as number] : []))
    const holdsAll = (one: Somebody, name: string, due: readonly number[]): boolean => {
      const heard = new Set(heardBy(one, name))
      return due.every((seq) => heard.has(seq))
    }
    // Unchanged staff clients are told how it stands instead.
    const addressed = chats.flatMap(({ visitor, agent, room }) => {
      const due = recorded.get(room) ?? { visitor: [], agent: [] }
      return [
        { one: visitor, name: 'staff_send', due: due.visitor },
        ...(agent.kind === 'official' ? [] : [{ one: agent, name: 'visitor_send', due: due.agent }]),
      ]
    })
    await until(() => addressed.every(({ one, name, due }) => holdsAll(one, name, due)), 20_000).catch(() => {})

    const wrong: string[] = []
    let [lost, doubled, doubledUnchanged, disordered] = [0, 0, 0, 0]
    for (const { one, name, due } of addressed) {
      const heard = heardBy(one, name)
      const once = [...new Set(heard)]
      const missing = due.filter((seq) => !once.includes(seq))
      const more = heard.length - once.length
      lost += missing.length
      if (one.kind === 'official') doubledUnchanged += more
      else doubled += more
      const inOrder = [...once].sort((a, b) => a - b)
      if (!isDeepStrictEqual(once, inOrder)) disordered++
      if (missing.length > 0) wrong.push(`${one.id} has never heard ${name} ${missing.slice(0, 5)} of ${due.length}`)
      if (more > 0) wrong.push(`${one.id} heard ${more} of ${heard.length} ${name} twice`)
      if (!isDeepStrictEqual(once, inOrder)) wrong.push(`${one.id} heard ${name} out of order`)
    }
    const contents = [...recorded.values()].reduce((sum, { visitor, agent }) => sum + visitor.length + agent.length, 0)
    if (contents < said.length) wrong.push(`${said.length} messages were acknowledged, ${contents} are recorded`)

    // What they hold, by what a fresh client is told.
    const fresh = async (like: Somebody): Promise<Somebody> => {
      const one = await somebody(urlOf(1), like.role, like.id, 'typed')
      everybody.push(one)
      return one
    }
    const [student] = students
    const [watcher] = watchers
    if (student && watcher) {
      const [anotherStudent, anotherWatcher] = [await fresh(student), await fresh(watcher)]
      await until(() => anotherStudent.isConnected() && anotherWatcher.isConnected())
      await anotherStudent.ask('join_lesson', { lesson_id: lesson })
      await anotherWatcher.ask('subscribeToCourse', { course_id: course })
      await until(() => anotherStudent.lesson(lesson) !== undefined && anotherWatcher.course(course) !== undefined)
      const present = (one: Somebody): string[] =>
        ((one.lesson(lesson) as { participants: { participant_id: string }[] } | undefined)?.participants ?? [])
          .map(({ participant_id: id }) => id)
          .sort()
      const isSame = (one: Somebody): boolean => isDeepStrictEqual(present(one), present(anotherStudent))
      await until(() => students.every(isSame), 10_000).catch(() => {})
      for (const one of students)
        if (!isSame(one))
          wrong.push(`${one.id} holds ${present(one).length} of ${present(anotherStudent).length} people`)
      const sees = (one: Somebody): boolean => isDeepStrictEqual(one.course(course), anotherWatcher.course(course))
      await until(() => watchers.every(sees), 10_000).catch(() => {})
      for (const one of watchers) if (!sees(one)) wrong.push(`${one.id} holds other sessions than a fresh client`)
    }
    for (const { visitor, agent } of chats) {
      for (const one of [visitor, agent]) {
        if (!one.client) continue
        const another = await fresh(one)
        // Who is online stands in the order of their coming, as far as a node has seen it.
        const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
        const parts = (of: Somebody) => {
          const { desk, chat } = of.client?.held ?? {}
          if (!desk) return { chat }
          const { online_users, online_visitors, ...rest } = desk
          return { chat, ...rest, here: [online_users.toSorted(byId), online_visitors.toSorted(byId)] }
        }
        const equal = await until(() => isDeepStrictEqual(parts(one), parts(another)), 10_000).then(
          () => true,
          () => false,
        )
        if (!equal)
          wrong.push(`${one.id} holds something else than a fresh client: ${differing(parts(one), parts(another))}`)
        another.close()
      }
    }
    return {
      returns: everybody.reduce((sum, one) => sum + Math.max(0, one.arrivals - 1), 0),
      recovered: everybody.reduce((sum, one) => sum + one.recovered, 0),
      ...{ kills, acked: said.length, due: addressed.reduce((sum, { due }) => sum + due.length, 0) },
      ...{ lost, doubled, doubledUnchanged, disordered, wrong },
    }
  } finally {
    for (const one of everybody) one.close()
    await Promise.all(lines.map((line) => line.close()))
    for (const node of nodes) node.kill('SIGKILL')
    await Promise.all(nodes.map(({ ended }) => ended))
    eventStore.kill()
    await redis.stop()
    await rm(root, { recursive: true, force: true })
  }
}

/** The first names in which the two differ. */
const differing = (one: object, other: object): string =>
  Object.entries(one)
    .flatMap(([name, value]) => {
      const its = (other as Record<string, unknown>)[name]
      return isDeepStrictEqual(value, its)
        ? []
        : [`${name} ${JSON.stringify(value)} and ${JSON.stringify(its)}`.slice(0, 1_500)]
    })
    .join('; ')

interface Said {
  readonly chat: number
  readonly n: number
  readonly by: 'agent' | 'visitor'
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
