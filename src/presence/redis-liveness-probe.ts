import { Redis } from 'ioredis'
import type { Clock, Timer } from '../clock.ts'
import { isOnReplica } from '../read-only-redis.ts'
import type { Leases } from './leases.ts'
import { ANSWER_MS, type LivenessProbe, latestResult, type ProbeResult } from './liveness-probe.ts'
import { redisOptions } from './redis-connection.ts'

export interface RedisProbeOptions {
  readonly url: string
  /** The same name as in the leases. */
  readonly node: string
  readonly here: LivenessProbe
  readonly leases: Pick<Leases, 'elsewhere'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  /** Of the channels. Default `lyceum:`. */
  readonly prefix?: string
}

/** Another node probes for `ANSWER_MS` itself; this much more for the way there and back. */
const WAY_MS = 1_000
const TIMEOUT_MS = 1_000
const AGAIN_MS = 250
/**
 * A connection that hears nothing may be dead without knowing it: each node says something to itself, and connects anew
 * when it does not hear it.
 */
const SELF_MS = 1_000
const DEAF_MS = 4_000

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly from: string; readonly holder: string }
  | { readonly kind: 'self' }
  | { readonly kind: 'answer'; readonly id: number; readonly from: string; readonly result: ProbeResult }

/** Null for what none of our nodes says: whoever shares the Redis may write to the channel. */
function messageIn(text: string): Message | null {
  let said: Partial<Record<string, unknown>> | null
  try {
    said = JSON.parse(text)
  } catch {
    return null
  }
  const { kind, id, from, holder, result } = said ?? {}
  if (kind === 'self') return { kind }
  if (typeof id !== 'number' || typeof from !== 'string') return null
  if (kind === 'ask' && typeof holder === 'string') return { kind, id, from, holder }
  const isResult = result === null || result === 'alive' || typeof result === 'number'
  return kind === 'answer' && isResult ? { kind, id, from, result } : null
}

interface Asked {
  result: ProbeResult
  /** Nodes whose answer is missing. */
  readonly missing: Set<string>
  settle(): void
}

/**
 * The connections of all nodes: those that hold leases of the person are asked by Redis's publish and subscribe, which
 * keeps nothing. A node that does not answer at all is dead, or as good as dead: its people were last heard when it
 * last renewed their leases.
 */
export async function openRedisProbe(options: RedisProbeOptions): Promise<LivenessProbe> {
  const { url, node, here, leases, clock, onError, prefix = 'lyceum:' } = options
  const channelOf = (name: string): string => `${prefix}pulse:${name}`
  const asked = new Map<number, Asked>()
  let last = 0

  const speaking = new Redis(url, redisOptions(TIMEOUT_MS))
  const listening = new Redis(url, { ...redisOptions(TIMEOUT_MS), autoResubscribe: false })
  speaking.on('error', () => {}) // a call that fails says so itself
  listening.on('error', () => {})
  let heardAt = clock.elapsed()
  listening.on('ready', () => {
    heardAt = clock.elapsed()
    void listening.subscribe(channelOf(node)).catch(onError)
  })
  listening.on('message', (_, text) => {
    heardAt = clock.elapsed()
    const message = messageIn(text)
    if (message !== null) hear(message)
  })

  const say = async (to: string, message: Message): Promise<number> =>
    speaking.publish(channelOf(to), JSON.stringify(message))

  function hear(message: Message): void {
    if (message.kind === 'ask') {
      const { id, from, holder } = message
      void here
        .probe(holder, null)
        .then((result) => say(from, { kind: 'answer', id, from: node, result }))
        .catch(onError)
      return
    }
    if (message.kind === 'self') return
    const waiting = asked.get(message.id)
    if (!waiting) return
    waiting.result = latestResult(waiting.result, message.result)
    waiting.missing.delete(message.from)
    if (waiting.result === 'alive' || waiting.missing.size === 0) waiting.settle()
  }

  async function elsewhere(holder: string): Promise<ProbeResult> {
    const held = (await leases.elsewhere(holder)).filter(({ live }) => live)
    if (held.length === 0) return null
    const { promise, resolve: settle } = Promise.withResolvers<void>()
    const waiting: Asked = { result: null, missing: new Set(held.map((lease) => lease.node)), settle }
    const id = ++last
    asked.set(id, waiting)
    const deadline = clock.after(ANSWER_MS + WAY_MS, settle)
    const message: Message = { kind: 'ask', id, from: node, holder }
    let again: Timer | undefined
    const ask = async (nodes: readonly string[]): Promise<void> => {
      const unheard: string[] = []
      for (const to of nodes) if ((await say(to, message)) === 0) unheard.push(to)
      // Nobody listens there: it is dead, or has lost its connection and subscribes again in a moment.
      if (unheard.length > 0 && asked.has(id)) again = clock.after(AGAIN_MS, () => void ask(unheard).catch(onError))
    }
    try {
      await ask([...waiting.missing])
      if (waiting.missing.size > 0) await promise
    } finally {
      deadline.cancel()
      again?.cancel()
      asked.delete(id)
    }
    return held
      .filter((lease) => waiting.missing.has(lease.node))
      .reduce<ProbeResult>((result, { renewedAt }) => latestResult(result, renewedAt), waiting.result)
  }

  let talking: Timer | undefined
  const talk = (): void => {
    if (listening.status === 'ready' && clock.elapsed() - heardAt > DEAF_MS) listening.disconnect(true)
    void say(node, { kind: 'self' }).catch(() => {}) // while Redis is away there is nothing to hear
    // What is said to a replica is heard there alone. It takes it without a word, and refuses only to be written to.
    void speaking.unlink(channelOf(node)).catch((error: Error) => {
      if (isOnReplica(error)) listening.disconnect(true)
    })
    talking = clock.after(SELF_MS, talk)
  }

  await Promise.all([speaking.connect(), listening.connect()]).catch(onError)
  talk()
  return {
    open: here.open,
    close: here.close,
    async probe(holder, except) {
      const [near, far] = await Promise.all([
        here.probe(holder, except),
        elsewhere(holder).catch((error: unknown) => {
          onError(error)
          return 'alive' as const // nobody knows
        }),
      ])
      return latestResult(near, far)
    },
    async stop() {
      talking?.cancel()
      speaking.disconnect()
      listening.disconnect()
    },
  }
}
