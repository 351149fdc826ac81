import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import {
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import type { Behaviour, Gate } from './eventstore-standin-faults.ts'
import type { Expected, Outcome, Raw, StandinStore } from './eventstore-standin-store.ts'
import { appendTooLarge, expectedOf, notLeader, rawOf, streamDeleted, streamNameOf } from './eventstore-standin-wire.ts'

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

type Unary = ServerReadableStream<streamsPb.AppendReq, streamsPb.AppendResp>
type Batch = ServerDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>

/** Streams.Append: options first, then one event per message, one answer at the end. */
export function append(node: Node, call: Unary, answer: sendUnaryData<streamsPb.AppendResp>): void {
  node.count('append')
  let options: streamsPb.AppendReq.Options | undefined
  const events: Raw[] = []
  call.on('data', (request: streamsPb.AppendReq) => {
    const message = request.getProposedMessage()
    if (message !== undefined) events.push(rawOf(message))
    else options = request.getOptions()
  })
  call.on('error', () => {}) // the client went away
  call.on('end', async () => {
    // A client that gives up half-way ends its call, too, and a moment later it is known as cancelled: then nothing is
    // written, as a real server writes all of an append or none of it.
    await nextTurn()
    if (options === undefined || call.cancelled) return
    const stream = streamNameOf(options)
    const expected = expectedOf(options)
    const { leader, maxAppendBytes } = node.behaviour
    if (leader !== null) return answer(notLeader(leader))
    if (sizeOf(events) > maxAppendBytes) return answer(appendTooLarge(maxAppendBytes))
    const outcome = await written(node, stream, expected, events)
    if (outcome === null) return
    if (outcome.kind === 'not-ready') answer({ code: status.UNAVAILABLE, details: 'Server Is Not Ready' })
    else if (outcome.kind === 'deleted')
      answer(streamDeleted(stream) as ServiceError) // grpc-js takes partial ones, its types do not everywhere
    else answer(null, unaryResponse(outcome, expected))
  })
}

/**
 * Streams.BatchAppend: many appends over one call, told apart by correlation id. The adapter must never use it; here to
 * show why, so that it answers successes only and breaks the call otherwise.
 */
export function batchAppend(node: Node, call: Batch): void {
  node.count('batchAppend')
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
    const outcome = await written(node, streamNameOf(one.options), expectedOf(one.options), one.events)
    if (outcome === null || call.cancelled || call.destroyed) return
    if (outcome.kind !== 'written') {
      call.emit('error', {
        code: status.UNIMPLEMENTED,
        details: `the stand-in's BatchAppend cannot answer: ${outcome.kind}`,
      })
      return
    }
    const position = new sharedPb.AllStreamPosition()
    position.setCommitPosition(outcome.position.toString())
    position.setPreparePosition(outcome.position.toString())
    const success = new streamsPb.BatchAppendResp.Success()
    success.setCurrentRevision(outcome.revision.toString())
    success.setPosition(position)
    const response = new streamsPb.BatchAppendResp()
    response.setCorrelationId(id)
    response.setStreamIdentifier(one.options.getStreamIdentifier())
    response.setSuccess(success)
    call.write(response)
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
  const outcome = store.append(stream, expected, events, behaviour.clock())
  if (fate === 'keep-silent') return null
  if (behaviour.appendDelayMs > 0) await delay(behaviour.appendDelayMs)
  await gate.passed()
  return outcome
}

function unaryResponse(outcome: Exclude<Outcome, { kind: 'deleted' }>, expected: Expected): streamsPb.AppendResp {
  const response = new streamsPb.AppendResp()
  if (outcome.kind === 'written') {
    const position = new streamsPb.AppendResp.Position()
    position.setCommitPosition(outcome.position.toString())
    position.setPreparePosition(outcome.position.toString())
    const success = new streamsPb.AppendResp.Success()
    success.setCurrentRevision(outcome.revision.toString())
    success.setPosition(position)
    response.setSuccess(success)
    return response
  }
  const wrong = new streamsPb.AppendResp.WrongExpectedVersion()
  if (outcome.current < 0) wrong.setCurrentNoStream(new sharedPb.Empty())
  else wrong.setCurrentRevision(outcome.current.toString())
  if (expected.kind === 'revision') wrong.setExpectedRevision(expected.revision.toString())
  else if (expected.kind === 'no-stream') wrong.setExpectedNoStream(new sharedPb.Empty())
  else wrong.setExpectedAny(new sharedPb.Empty())
  response.setWrongExpectedVersion(wrong)
  return response
}

const sizeOf = (events: readonly Raw[]): number =>
  events.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0)
