import { isDeepStrictEqual } from 'node:util'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import { idIn } from '../../machines/stream.ts'
import { codec } from '../../src/log/codec.ts'
import { openEventStoreLog } from '../../src/log/eventstore.ts'
import { until } from './load.ts'
import type { Somebody } from './network-clients.ts'

export interface Chat {
  readonly visitor: Somebody
  readonly agent: Somebody
  readonly room: string
}

/** What was due to somebody: the numbers of the contents in their chat. */
export interface Addressed {
  readonly one: Somebody
  readonly name: 'staff_send' | 'visitor_send'
  readonly due: readonly number[]
}

interface Written {
  readonly toVisitor: number[]
  readonly toAgent: number[]
}

/** What was said, by the log: per chat. */
export async function recordedIn(eventStoreUrl: string): Promise<ReadonlyMap<string, Written>> {
  const log = await openEventStoreLog({ url: eventStoreUrl, codec: codec(eventSchemas) })
  const recorded = new Map<string, Written>()
  for await (const batch of log.readAll())
    for (const { stream, event, revision } of batch) {
      const room = idIn('chat', stream)
      if (room === null) continue
      const its = recorded.get(room) ?? { toVisitor: [], toAgent: [] }
      recorded.set(room, its)
      const { type } = event as ChatEvent
      if (type === 'StaffWrote') its.toVisitor.push(revision)
      if (type === 'VisitorWrote') its.toAgent.push(revision)
    }
  await log.close()
  return recorded
}

/** Who is to have heard what. Unchanged staff clients are told how it stands instead. */
export const addressedTo = (chats: readonly Chat[], recorded: ReadonlyMap<string, Written>): readonly Addressed[] =>
  chats.flatMap(({ visitor, agent, room }) => {
    const { toVisitor = [], toAgent = [] } = recorded.get(room) ?? {}
    return [
      { one: visitor, name: 'staff_send' as const, due: toVisitor },
      ...(agent.kind === 'official' ? [] : [{ one: agent, name: 'visitor_send' as const, due: toAgent }]),
    ]
  })

const heardBy = ({ one, name }: Addressed): readonly number[] =>
  one.heard.flatMap((push) => (push.name === name ? [push.data.seq as number] : []))

const holdsAll = (addressed: Addressed): boolean => {
  const heard = new Set(heardBy(addressed))
  return addressed.due.every((seq) => heard.has(seq))
}

/** Lost, doubled and disordered, once everything that is still on its way has arrived. */
export async function compareHeard(all: readonly Addressed[]) {
  await until(() => all.every(holdsAll), 20_000).catch(() => {})
  const wrong: string[] = []
  let [lost, doubled, doubledUnchanged, disordered] = [0, 0, 0, 0]
  for (const addressed of all) {
    const { one, name, due } = addressed
    const heard = heardBy(addressed)
    const once = [...new Set(heard)]
    const missing = due.filter((seq) => !once.includes(seq))
    const more = heard.length - once.length
    lost += missing.length
    if (one.kind === 'official') doubledUnchanged += more
    else doubled += more
    const isInOrder = isDeepStrictEqual(
      once,
      once.toSorted((a, b) => a - b),
    )
    if (!isInOrder) disordered++
    if (missing.length > 0) wrong.push(`${one.id} has never heard ${name} ${missing.slice(0, 5)} of ${due.length}`)
    if (more > 0) wrong.push(`${one.id} heard ${more} of ${heard.length} ${name} twice`)
    if (!isInOrder) wrong.push(`${one.id} heard ${name} out of order`)
  }
  return { lost, doubled, doubledUnchanged, disordered, wrong }
}

export interface Held {
  readonly chats: readonly Chat[]
  readonly students: readonly Somebody[]
  readonly watchers: readonly Somebody[]
  readonly lesson: string
  readonly course: string
  /** A typed client of the same person, on a line that nothing happens to. */
  readonly fresh: (like: Somebody) => Promise<Somebody>
}

/** What they hold that is not what a fresh client is told, in words. */
export async function compareHeld(held: Held): Promise<readonly string[]> {
  return [...(await compareTopics(held)), ...(await compareDesks(held))]
}

async function compareTopics({ students, watchers, lesson, course, fresh }: Held): Promise<readonly string[]> {
  const [student] = students
  const [watcher] = watchers
  if (!student || !watcher) return []
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
  const sees = (one: Somebody): boolean => isDeepStrictEqual(one.course(course), anotherWatcher.course(course))
  await until(() => students.every(isSame) && watchers.every(sees), 10_000).catch(() => {})
  return [
    ...students
      .filter((one) => !isSame(one))
      .map((one) => `${one.id} holds ${present(one).length} of ${present(anotherStudent).length} people`),
    ...watchers.filter((one) => !sees(one)).map((one) => `${one.id} holds other sessions than a fresh client`),
  ]
}

async function compareDesks({ chats, fresh }: Held): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const one of chats.flatMap(({ visitor, agent }) => [visitor, agent])) {
    if (!one.client) continue
    const another = await fresh(one)
    const isEqual = await until(() => isDeepStrictEqual(parts(one), parts(another)), 10_000).then(
      () => true,
      () => false,
    )
    if (!isEqual)
      wrong.push(`${one.id} holds something else than a fresh client: ${differing(parts(one), parts(another))}`)
    another.close()
  }
  return wrong
}

/** Who is online stands in the order of their coming, as far as a node has seen it. */
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

const parts = (of: Somebody) => {
  const { desk, chat } = of.client?.held ?? {}
  if (!desk) return { chat }
  const { online_users, online_visitors, ...rest } = desk
  return { chat, ...rest, here: [online_users.toSorted(byId), online_visitors.toSorted(byId)] }
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
