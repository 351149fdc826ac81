import { randomUUID } from 'node:crypto'
import { it, type TestContext } from 'vitest'
import type { Event, EventSchema } from '../../machines/kernel.ts'
import { type Codec, codec } from '../../src/log/codec.ts'
import type { Following, FollowOptions, Log, Meta, Proposed, Recorded } from '../../src/log/log.ts'

/** What an adapter's test gives the suite. What is optional and left out is skipped, visibly. */
export interface LogHarness {
  readonly log: Log
  /** Sets the clock that the log stamps events with. */
  setNow?(ms: number): void
  /** Closes the log and opens the same data again; `close` then closes the new one. */
  reopen?(): Promise<Log>
  /** Cuts the connection between the log and its store; resolves with what mends it. */
  breakConnection?(): Promise<() => Promise<void>>
  /**
   * The next append is stored, but its answer does not arrive: it rejects with LogUnavailable, or the adapter repeats
   * it by itself.
   */
  loseNextAnswer?(): void
  close(): Promise<void>
}

export interface Noted extends Event {
  readonly type: 'Noted'
  readonly text: unknown
}

/** One test: a log, and stream names of its own, because a real server may be shared and never empty. */
export interface World {
  readonly harness: LogHarness
  readonly log: Log
  readonly context: TestContext
  stream(name: string): string
  /** The events of this test's streams, as `readAll` gives them. */
  all(options?: { readonly from?: bigint; readonly backwards?: boolean; readonly limit?: number }): Promise<Recorded[]>
  /** Follows and keeps the events of this test's streams. Stopped at the end of the test. */
  follow(options?: Partial<FollowOptions>): Kept
}

export interface Kept {
  readonly events: Recorded[]
  readonly following: Following
  /** `caughtUp` and the stream of each event, in the order they came. */
  readonly order: string[]
  readonly errors: unknown[]
  /** Resolves when `caughtUp` has come: from then on a following of the end misses nothing. */
  live(): Promise<void>
  /** Resolves as soon as `fact` is true; looks again after every event, caughtUp and failed. */
  until(fact: () => boolean): Promise<void>
}

export type Given = (title: string, body: (world: World) => Promise<void>) => void

export const note = (text: unknown, meta: Partial<Meta> = {}, id: string = randomUUID()): Proposed<Noted> => ({
  id,
  event: { type: 'Noted', text },
  meta: { correlationId: randomUUID(), by: 'acme.ada', ...meta },
})

export const notes = (...texts: unknown[]): Proposed<Noted>[] => texts.map((text) => note(text))

export const textOf = (recorded: Recorded): unknown => (recorded.event as Noted).text

const renoted = (version: number): Readonly<Record<string, EventSchema>> => ({
  Renoted: { version, personal: [], upcasts: {} },
})
/** Writes `Renoted` as a newer release does, in version 3, and reads it as this one, which knows version 2. */
export const suiteCodec: Codec = { encode: codec(renoted(3)).encode, decode: codec(renoted(2)).decode }

/** An event that a newer release has written. */
export const renote = (): Proposed => ({ ...note(''), event: { type: 'Renoted' } })

/** All events of one `read` or `readAll`, flat. */
export async function gather(batches: AsyncIterable<readonly Recorded[]>): Promise<Recorded[]> {
  const found: Recorded[] = []
  for await (const batch of batches) found.push(...batch)
  return found
}

/** What a rejected promise was rejected with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, but it resolved with ${value}`)
    },
    (error: unknown) => error,
  )
}

/** A test in a world of its own. */
export function givenLog(open: () => Promise<LogHarness>): Given {
  return (title, body) =>
    it(title, async (context) => {
      const harness = await open()
      const started: Following[] = []
      try {
        await body(world(harness, context, started))
      } finally {
        await Promise.all(started.map((following) => following.stop()))
        await harness.close()
      }
    })
}

function world(harness: LogHarness, context: TestContext, started: Following[]): World {
  const tag = randomUUID().slice(0, 8)
  const mine = ({ stream }: Recorded): boolean => stream.endsWith(tag)
  return {
    harness,
    log: harness.log,
    context,
    stream: (name) => `${name}-${tag}`,
    all: async ({ limit, ...options } = {}) =>
      (await gather(harness.log.readAll(options))).filter(mine).slice(0, limit),
    follow(options = {}) {
      const watchers = new Set<() => void>()
      const told = (): void => {
        for (const look of watchers) look()
      }
      const events: Recorded[] = []
      const order: string[] = []
      const errors: unknown[] = []
      const following = harness.log.follow({
        after: options.after ?? 'end',
        async each(batch) {
          const own = batch.filter(mine)
          if (own.length === 0) return
          await options.each?.(own)
          events.push(...own)
          order.push(...own.map((event) => event.stream))
          told()
        },
        caughtUp() {
          order.push('caughtUp')
          options.caughtUp?.()
          told()
        },
        failed(error) {
          errors.push(error)
          options.failed?.(error)
          told()
        },
      })
      started.push(following)
      const until = (fact: () => boolean): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (!fact()) return
            watchers.delete(look)
            resolve()
          }
          watchers.add(look)
          look()
        })
      return { events, order, errors, following, until, live: () => until(() => order.includes('caughtUp')) }
    },
  }
}
