import { setTimeout as delay } from 'node:timers/promises'
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { Behaviour, Gate } from './eventstore-standin-faults.ts'
import type { Expected, Outcome, Raw, StandinStore } from './eventstore-standin-store.ts'
import { batchResponse, expectedOf, notLeader, rawOf, streamNameOf } from './eventstore-standin-wire.ts'

/** One running server, as its calls see it. */
export interface Node {
  readonly store: StandinStore
  readonly behaviour: Behaviour
  readonly gate: Gate
  /** Counts the calls by method, and the events sent to subscriptions; tests look at it. */
  count(call: string): void
  /** Commit positions that subscriptions began after; -1 = the start, -2 = the end. */
  readonly subscribedAfter: bigint[]
}

type Batch = ServerDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>

/** Streams.BatchAppend: many appends over one call, told apart by correlation id; a refusal is an answer like any. */
export function batchAppend(node: Node, call: Batch): void {
  node.count('batchCall')
  const { behaviour } = node
  const { leader } = behaviour
  if (leader !== null) return void call.emit('error', notLeader(leader))
  const pending = new Map<string, { readonly options: streamsPb.BatchAppendReq.Options; readonly events: Raw[] }>()
  call.on('data', async (request: streamsPb.BatchAppendReq) => {
    const id = request.getCorrelationId()
    const key = JSON.stringify(id?.toObject())
    const options = request.getOptions()
    if (options !== undefined) pending.set(key, { options, events: [] })
    const one = pending.get(key)
    if (one === undefined) return
    one.events.push(...request.getProposedMessagesList().map(rawOf))
    if (!request.getIsFinal()) return
    pending.delete(key)
    node.count('append')
    const deadline = one.options.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY
    const outcome =
      deadline < behaviour.clock()
        ? ({ kind: 'timeout' } as const)
        : sizeOf(one.events, behaviour.counts) > behaviour.maxAppendBytes
          ? ({ kind: 'too-large', limitBytes: behaviour.maxAppendBytes } as const)
          : await written(node, streamNameOf(one.options), expectedOf(one.options), one.events)
    if (outcome === null || call.cancelled || call.destroyed) return
    call.write(batchResponse(outcome, one.options, id))
  })
  call.on('error', () => {})
  call.on('end', () => call.end())
}

/** Null: no answer must be given. */
async function written(
  { store, behaviour, gate }: Node,
  stream: string,
  expected: Expected,
  events: readonly Raw[],
): Promise<Outcome | { readonly kind: 'not-ready' } | null> {
  await gate.passed()
  if (behaviour.appendDelayMs > 0) await delay(behaviour.appendDelayMs)
  const fate = behaviour.onAppend(stream)
  if (fate === 'lose') return null
  if (fate === 'not-ready') return { kind: 'not-ready' }
  let outcome = store.append(stream, expected, events, behaviour.clock())
  if (outcome.kind === 'uncommitted') {
    await delay(behaviour.commitTimeoutMs)
    const last = store.visible(stream, behaviour.clock())?.find(({ id }) => id === events.at(-1)?.id)
    if (last !== undefined) outcome = { kind: 'written', revision: last.revision, position: last.position }
  }
  if (fate === 'keep-silent') return null
  if (behaviour.appendDelayMs > 0) await delay(behaviour.appendDelayMs)
  await gate.passed()
  return outcome
}

const sizeOf = (events: readonly Raw[], counts: 'data' | 'everything'): number =>
  events.reduce(
    (sum, { data, meta, type }) => sum + data.length + (counts === 'data' ? 0 : meta.length + 2 * type.length),
    0,
  )
