import { setTimeout as pause } from 'node:timers/promises'
import type { History } from '../support/history-checker.ts'
import { type Tireless, tireless } from './tireless.ts'

export interface LoadOptions {
  /** Clients are dealt out over these servers in turn. */
  readonly urls: readonly string[]
  readonly chats: number
  readonly agents: number
  /** One on each server when there are several. */
  readonly supervisors: number
  /** Part of everybody's id, so that several loads in one log stay apart. */
  readonly tag?: string
  /**
   * Pause of a writer after the last ack of a volley, milliseconds: for each of its messages something from 0 to twice
   * this.
   */
  readonly paceMs?: number
}

/**
 * Chats in which the visitor and their agent never stop writing: 1 to 6 messages in one go, then they wait for all
 * acks.
 */
export interface Load {
  readonly visitors: readonly Tireless[]
  readonly agents: readonly Tireless[]
  readonly supervisors: readonly Tireless[]
  readonly everybody: readonly Tireless[]
  /** The chat of each visitor, in the order of `visitors`. */
  readonly rooms: readonly string[]
  start(): void
  /** Nobody begins a new message; resolves when every message is acknowledged. */
  pause(): Promise<void>
  /** Calls acknowledged so far. */
  acked(): number
  /** Without the facts, which only the log knows. */
  history(): Pick<History, 'acked' | 'connections'>
  close(): void
}

const MAX_VOLLEY = 6

/** Resolves when every chat is open and claimed. */
export async function openLoad({
  urls,
  chats,
  agents,
  supervisors,
  tag = '',
  paceMs = 60,
}: LoadOptions): Promise<Load> {
  const at = (i: number): string => urls[i % urls.length] ?? ''
  const many = (count: number, role: 'visitor' | 'agent' | 'supervisor', from = 0): Promise<Tireless[]> =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        tireless({ url: at(i + from), role, name: `${tag}${role}-${i}`, hearsAll: role === 'supervisor' }),
      ),
    )
  const [supervising, serving] = await Promise.all([many(supervisors, 'supervisor'), many(agents, 'agent')])
  const visiting = await many(chats, 'visitor', 1) // so that a visitor and their agent are on different servers
  const everybody = [...supervising, ...serving, ...visiting]
  await until(() => everybody.every((client) => client.connected()))

  const servant = (i: number): Tireless => serving[i % serving.length] as Tireless // at least one agent
  const rooms = await Promise.all(
    visiting.map(async (visitor, i) => {
      const { room } = must(await visitor.write('visitor_first_msg'))
      must(await servant(i).call('staff_join', { room }))
      return room
    }),
  )

  let running = false
  const writers = new Set<Promise<void>>()
  const write = async (one: Tireless, event: string, data: Record<string, unknown>): Promise<void> => {
    while (running) {
      const volley = Array.from({ length: 1 + Math.floor(Math.random() * MAX_VOLLEY) }, () => one.write(event, data))
      for (const answered of await Promise.all(volley)) {
        if (answered.code === 'left' || answered.code === 'chat-closed') return // tests that close chats count them
        must(answered)
      }
      await pause(volley.length * Math.random() * 2 * paceMs)
    }
  }

  return {
    visitors: visiting,
    agents: serving,
    supervisors: supervising,
    everybody,
    rooms,
    start() {
      running = true
      for (const [i, room] of rooms.entries()) {
        const [visitor, agent] = [visiting[i] as Tireless, servant(i)] // one room for each visitor
        for (const writer of [write(visitor, 'visitor_msg', {}), write(agent, 'staff_msg', { room })])
          writers.add(writer)
      }
    },
    async pause() {
      running = false
      const quiet = Promise.all(writers).then(() => writers.clear())
      const states = () =>
        everybody.map((one) => `${one.name} ${one.connected() ? 'connected' : 'away'}: ${one.waiting().join()}`)
      await Promise.race([quiet, until(() => writers.size === 0)]).catch((error: Error) => {
        throw new Error(`${error.message}\n${states().join('\n')}`, { cause: error })
      })
    },
    acked: () => everybody.reduce((sum, { acked }) => sum + acked.length, 0),
    history: () => ({
      acked: everybody.flatMap(({ acked }) => acked),
      connections: everybody.flatMap(({ connections }) => connections),
    }),
    close() {
      running = false
      for (const client of everybody) client.close()
    },
  }
}

/**
 * Looks every few milliseconds (the limit is for a machine with ten times too much to do); fails after `limitMs` and
 * says what was waited for.
 */
export async function until(fact: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const over = new AbortController()
  const late = pause(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`not within ${limitMs} ms: ${fact}`)
  })
  late.catch(() => {}) // aborted
  try {
    // Raced, because also one look may never end.
    while (!(await Promise.race([fact(), late]))) await Promise.race([pause(5), late])
  } finally {
    over.abort()
  }
}

function must<A extends { readonly ok: boolean; readonly error: string | null }>(answered: A): A {
  if (!answered.ok) throw new Error(`expected yes, got ${answered.error}`)
  return answered
}
