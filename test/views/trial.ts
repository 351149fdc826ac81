import { randomUUID } from 'node:crypto'
import type { Event } from '../../machines/kernel.ts'
import type { Projection, Row } from '../../projections/projection.ts'
import { codec } from '../../src/log/codec.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { ViewStore } from '../../src/views/store.ts'
import { type Verified, verifyView } from '../../src/views/verify.ts'

/** What the trial streams `box-<name>` record. `Spoiled` is an event that no fold can take. */
export type TrialEvent =
  | { readonly type: 'Added'; readonly amount: number }
  | { readonly type: 'Emptied' }
  | { readonly type: 'Spoiled' }

export interface Box extends Row {
  readonly sum: number
}

/**
 * Boxes by name; an emptied box has no row. Lists: `sum/<7 digits>`, equal for boxes of equal sums, and `even/<name>`.
 */
export const boxes: Projection<Box> = {
  name: 'boxes',
  version: 1,
  key: ({ stream }) => (stream.startsWith('box-') ? stream.slice('box-'.length) : null),
  fold(row, { event, revision: seq }) {
    const told = event as TrialEvent
    if (told.type === 'Spoiled') throw new Error('a spoiled box')
    return told.type === 'Emptied' ? undefined : { seq, sum: (row?.sum ?? 0) + told.amount }
  },
  index: (name, { sum }) => [`sum/${String(sum).padStart(7, '0')}`, ...(sum % 2 === 0 ? [`even/${name}`] : [])],
}

export const trialLog = (): Log => memoryLog({ codec: codec({}), now: Date.now })

/** Appends behind whatever the stream holds; resolves to the position of the last event. */
export async function record(log: Log, stream: string, ...events: readonly Event[]): Promise<bigint> {
  let revision = -1
  for await (const batch of log.read(stream, { backwards: true, limit: 1 })) revision = batch[0]?.revision ?? revision
  const proposed = events.map((event) => ({
    id: randomUUID(),
    event,
    meta: { correlationId: randomUUID(), by: 'system' },
  }))
  return (await log.append(stream, revision, proposed)).position
}

export const added = (amount: number): TrialEvent => ({ type: 'Added', amount })
export const emptied: TrialEvent = { type: 'Emptied' }
export const spoiled: TrialEvent = { type: 'Spoiled' }

/** Compares the live table with a fresh fold, again as long as it is being switched. */
export async function verified(log: Log, store: ViewStore, projection: Projection = trial(boxes)): Promise<Verified> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await verifyView({ log, store, projection })
    } catch (error) {
      if (attempt === 20) throw error
    }
  }
}

/** A projection of one kind of row, as the runner takes it. */
// it gets its own rows only
export const trial = <R extends Row>(projection: Projection<R>): Projection => projection as unknown as Projection
