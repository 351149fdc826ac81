import type { EventStoreDBClient, Position, ResolvedEvent } from '@eventstore/db-client'
import { failureOf, NoAnswer } from './eventstore-errors.ts'
import type { StoredEvent } from './eventstore-event.ts'
import { LogUnavailable } from './log.ts'

/**
 * Events asked for at once. Between two pages nothing is open, so that a slow or absent-minded reader costs the server
 * nothing.
 */
export const PAGE = 256

/** `start` and `end` are places, not events: nothing precedes the one or follows the other. */
export interface Span<From> {
  readonly from: From | 'start' | 'end'
  readonly backwards: boolean
  readonly count: number
}

/**
 * Up to `count` events of one stream, `from` inclusive. None when there is no such stream. Rejects as the client does.
 */
export async function streamPage(
  client: EventStoreDBClient,
  stream: string,
  span: Span<bigint>,
  idleMs: number,
): Promise<StoredEvent[]> {
  const { from, backwards, count } = span
  const open = () => client.readStream(stream, { fromRevision: from, direction: direction(backwards), maxCount: count })
  try {
    return await page(open, idleMs)
  } catch (error) {
    if (failureOf(error).kind === 'missing') return []
    throw error
  }
}

/** Up to `count` events of everybody, system events included; `from` is inclusive forwards and exclusive backwards. */
export function allPage(client: EventStoreDBClient, span: Span<Position>, idleMs: number): Promise<StoredEvent[]> {
  const { from, backwards, count } = span
  return page(() => client.readAll({ fromPosition: from, direction: direction(backwards), maxCount: count }), idleMs)
}

const direction = (backwards: boolean): 'backwards' | 'forwards' => (backwards ? 'backwards' : 'forwards')

/** What `readStream` and `readAll` have in common. */
interface Reading {
  on(event: 'data', listener: (resolved: ResolvedEvent) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  cancel(): Promise<void>
  destroy(): unknown
}

/**
 * A read has no deadline of its own (keep-alive gives up after 20 s): when nothing comes for `idleMs` it is cancelled.
 */
function page(open: () => Reading, idleMs: number): Promise<StoredEvent[]> {
  return new Promise((resolve, reject) => {
    const reading = open()
    const events: StoredEvent[] = []
    const abandon = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
      void reading.cancel().catch(() => {}) // it failed already, or never began
      reading.destroy()
    }
    const timer = setTimeout(() => abandon(new NoAnswer(`a read got no answer for ${idleMs} ms`)), idleMs)
    reading.on('data', ({ event }) => {
      timer.refresh()
      if (event !== undefined) events.push(event)
    })
    reading.on('error', abandon) // stays on: an error without a listener would end the process
    reading.on('close', () => abandon(new LogUnavailable('a read was cut off'))) // after 'end' it changes nothing
    reading.on('end', () => {
      clearTimeout(timer)
      resolve(events)
    })
  })
}
