import { Redis } from 'ioredis'
import type { Clock } from '../clock.ts'
import type { Leases } from './leases.ts'
import { ANSWER_MS, type Felt, latestFelt, type Pulse } from './pulse.ts'
import { redisOptions } from './redis-connection.ts'

export interface RedisPulseOptions {
  readonly url: string
  /** The same name as in the leases. */
  readonly node: string
  readonly here: Pulse
  readonly leases: Pick<Leases, 'elsewhere' | 'drop'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  /** Of the channels. Default `lyceum:`. */
  readonly prefix?: string
}

/** Another node feels for `ANSWER_MS` itself; this much more for the way there and back. */
const WAY_MS = 1_000
const TIMEOUT_MS = 1_000

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly from: string; readonly holder: string; readonly cutSeenAt?: number }
  | { readonly kind: 'answer'; readonly id: number; readonly from: string; readonly felt: Felt }

interface Asked {
  felt: Felt
  /** Nodes whose answer is missing. */
  readonly missing: Set<string>
  settle(): void
}

/**
 * The connections of all nodes: those that hold leases of the person are asked by Redis's publish and subscribe, which keeps nothing. A node that
 * does not answer at all is dead, or as good as dead: its leases of this person are dropped, and it takes them again if it lives.
 */
export async function openRedisPulse(options: RedisPulseOptions): Promise<Pulse> {
  const { url, node, here, leases, clock, onError, prefix = 'lyceum:' } = options
  const channelOf = (name: string): string => `${prefix}pulse:${name}`
  const asked = new Map<number, Asked>()
  let last = 0

  const speaking = new Redis(url, redisOptions(TIMEOUT_MS))
  // Hears nothing for hours, and is no dead connection by that.
  const { socketTimeout: _, ...patient } = redisOptions(TIMEOUT_MS)
  const listening = new Redis(url, { ...patient, autoResubscribe: false })
  speaking.on('error', () => {}) // a call that fails says so itself
  listening.on('error', () => {})
  listening.on('ready', () => void listening.subscribe(channelOf(node)).catch(onError))
  listening.on('message', (_, text) => hear(JSON.parse(text) as Message)) // only nodes of ours write there

  const say = async (to: string, message: Message): Promise<number> => speaking.publish(channelOf(to), JSON.stringify(message))

  function hear(message: Message): void {
    if (message.kind === 'ask') {
      const { id, from, holder, cutSeenAt } = message
      void here
        .others(holder, null, cutSeenAt)
        .then((felt) => say(from, { kind: 'answer', id, from: node, felt }))
        .catch(onError)
      return
    }
    const waiting = asked.get(message.id)
    if (!waiting) return
    waiting.felt = latestFelt(waiting.felt, message.felt)
    waiting.missing.delete(message.from)
    if (waiting.felt === 'alive' || waiting.missing.size === 0) waiting.settle()
  }

  async function elsewhere(holder: string, cutSeenAt: number | undefined): Promise<Felt> {
    const held = (await leases.elsewhere(holder)).filter(({ live }) => live)
    if (held.length === 0) return null
    const { promise, resolve: settle } = Promise.withResolvers<void>()
    const waiting: Asked = { felt: null, missing: new Set(held.map((lease) => lease.node)), settle }
    const id = ++last
    asked.set(id, waiting)
    const timer = clock.after(ANSWER_MS + WAY_MS, settle)
    const dead = new Set<string>()
    try {
      for (const to of [...waiting.missing]) {
        if ((await say(to, { kind: 'ask', id, from: node, holder, ...(cutSeenAt === undefined ? {} : { cutSeenAt }) })) > 0) continue
        dead.add(to) // nobody listens there any more
        waiting.missing.delete(to)
      }
      if (waiting.missing.size > 0) await promise
    } finally {
      timer.cancel()
      asked.delete(id)
    }
    if (waiting.felt === 'alive') return 'alive'
    const stale = held.filter((lease) => dead.has(lease.node) || waiting.missing.has(lease.node))
    await leases.drop(holder, stale)
    return stale.reduce<Felt>((felt, { renewedAt }) => latestFelt(felt, renewedAt), waiting.felt)
  }

  await Promise.all([speaking.connect(), listening.connect()]).catch(onError)
  return {
    open: here.open,
    close: here.close,
    async others(holder, except, cutSeenAt) {
      const [near, far] = await Promise.all([
        here.others(holder, except, cutSeenAt),
        elsewhere(holder, cutSeenAt).catch((error: unknown): Felt => {
          onError(error)
          return 'alive' // nobody knows
        }),
      ])
      return latestFelt(near, far)
    },
    async stop() {
      speaking.disconnect()
      listening.disconnect()
    },
  }
}
