import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import statusPb from '@eventstore/db-client/generated/status_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import anyPb from 'google-protobuf/google/protobuf/any_pb.js'
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js'
import type { Expected, Kept, Outcome, Raw } from './eventstore-standin-store.ts'

/** .NET ticks are 100 ns. */
const TICKS_PER_MS = 10_000n
const NO_POSITION = (2n ** 64n - 1n).toString()

interface WithStream {
  getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined
}

export const streamNameOf = (options: WithStream): string =>
  Buffer.from(options.getStreamIdentifier()?.getStreamName_asU8() ?? '').toString('utf8')

export function rawOf(message: streamsPb.BatchAppendReq.ProposedMessage): Raw {
  const metadata = message.getMetadataMap()
  return {
    id: message.getId()?.getString() ?? '',
    type: metadata.get('type') ?? '',
    json: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    meta: message.getCustomMetadata_asU8(),
  }
}

type WithExpected = streamsPb.BatchAppendReq.Options | streamsPb.DeleteReq.Options | streamsPb.TombstoneReq.Options

export function expectedOf(options: WithExpected): Expected {
  if ('hasRevision' in options && options.hasRevision())
    return { kind: 'revision', revision: Number(options.getRevision()) }
  if ('hasStreamPosition' in options && options.hasStreamPosition())
    return { kind: 'revision', revision: Number(options.getStreamPosition()) }
  if (options.hasNoStream()) return { kind: 'no-stream' }
  return { kind: options.hasStreamExists() ? 'stream-exists' : 'any' }
}

export function eventResponse(kept: Kept, withPosition: boolean): streamsPb.ReadResp {
  const id = new sharedPb.UUID()
  id.setString(kept.id)
  const place = withPosition ? kept.position.toString() : NO_POSITION
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
  recorded.setId(id)
  recorded.setStreamIdentifier(streamIdentifier(kept.stream))
  recorded.setStreamRevision(kept.revision.toString())
  recorded.setCommitPosition(place)
  recorded.setPreparePosition(place)
  const metadata = recorded.getMetadataMap()
  metadata.set('type', kept.type)
  metadata.set('created', (BigInt(Math.trunc(kept.createdMs)) * TICKS_PER_MS).toString())
  metadata.set('content-type', kept.json ? 'application/json' : 'application/octet-stream')
  recorded.setData(kept.data)
  recorded.setCustomMetadata(kept.meta)
  const event = new streamsPb.ReadResp.ReadEvent()
  event.setEvent(recorded)
  event.setCommitPosition(place)
  const response = new streamsPb.ReadResp()
  response.setEvent(event)
  return response
}

export function checkpointResponse(commit: bigint, prepare: bigint): streamsPb.ReadResp {
  const checkpoint = new streamsPb.ReadResp.Checkpoint()
  checkpoint.setCommitPosition(commit.toString())
  checkpoint.setPreparePosition(prepare.toString())
  const response = new streamsPb.ReadResp()
  response.setCheckpoint(checkpoint)
  return response
}

export function confirmationResponse(): streamsPb.ReadResp {
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation()
  confirmation.setSubscriptionId(crypto.randomUUID())
  const response = new streamsPb.ReadResp()
  response.setConfirmation(confirmation)
  return response
}

export function caughtUpResponse(): streamsPb.ReadResp {
  const response = new streamsPb.ReadResp()
  response.setCaughtUp(new streamsPb.ReadResp.CaughtUp())
  return response
}

export function notFoundResponse(stream: string): streamsPb.ReadResp {
  const notFound = new streamsPb.ReadResp.StreamNotFound()
  notFound.setStreamIdentifier(streamIdentifier(stream))
  const response = new streamsPb.ReadResp()
  response.setStreamNotFound(notFound)
  return response
}

/** Errors of the real server carry their kind and details in trailers. */
function refusal(
  code: status,
  exception: string,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): Partial<ServiceError> {
  const metadata = new Metadata()
  metadata.set('exception', exception)
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value)
  return { code, details, metadata }
}

export const streamDeleted = (stream: string): Partial<ServiceError> =>
  refusal(status.FAILED_PRECONDITION, 'stream-deleted', `Event stream '${stream}' is deleted.`, {
    'stream-name': stream,
  })

/** Of a deletion; an append says so in its answer. */
export const wrongVersion = (stream: string, expected: number, current: number): Partial<ServiceError> =>
  refusal(status.FAILED_PRECONDITION, 'wrong-expected-version', 'Deletion failed due to WrongExpectedVersion.', {
    'stream-name': stream,
    'expected-version': String(expected),
    'actual-version': String(current),
  })

export const notLeader = ({ host, port }: { readonly host: string; readonly port: number }): Partial<ServiceError> =>
  refusal(status.NOT_FOUND, 'not-leader', 'Leader info available', {
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  })

/** What is wrong with an append of a batch, with the name of its details (`event_store.client.…`). */
type BatchRefusal =
  | Exclude<Outcome, { kind: 'written' }>
  | { readonly kind: 'not-ready' | 'timeout' }
  | { readonly kind: 'too-large'; readonly limitBytes: number }

export function batchResponse(
  outcome: Extract<Outcome, { kind: 'written' }> | BatchRefusal,
  options: streamsPb.BatchAppendReq.Options,
  id: sharedPb.UUID | undefined,
): streamsPb.BatchAppendResp {
  const response = new streamsPb.BatchAppendResp()
  response.setCorrelationId(structured(id?.getString() ?? ''))
  response.setStreamIdentifier(options.getStreamIdentifier())
  if (outcome.kind !== 'written') {
    response.setError(batchError(outcome))
    return response
  }
  const position = new sharedPb.AllStreamPosition()
  position.setCommitPosition(outcome.position.toString())
  position.setPreparePosition(outcome.position.toString())
  const success = new streamsPb.BatchAppendResp.Success()
  success.setCurrentRevision(outcome.revision.toString())
  success.setPosition(position)
  response.setSuccess(success)
  return response
}

/** Servers answer with ids as two halves, however they were sent. */
function structured(text: string): sharedPb.UUID {
  const bits = text.replaceAll('-', '')
  const halves = new sharedPb.UUID.Structured()
  halves.setMostSignificantBits(BigInt.asIntN(64, BigInt(`0x${bits.slice(0, 16)}`)).toString())
  halves.setLeastSignificantBits(BigInt.asIntN(64, BigInt(`0x${bits.slice(16)}`)).toString())
  const id = new sharedPb.UUID()
  id.setStructured(halves)
  return id
}

function batchError(refusal: BatchRefusal): statusPb.Status {
  const error = new statusPb.Status()
  const tell = (code: status, message: string, name: string, details: Uint8Array): statusPb.Status => {
    const any = new anyPb.Any()
    any.pack(details, name)
    error.setCode(code as number)
    error.setMessage(message)
    error.setDetails(any)
    return error
  }
  switch (refusal.kind) {
    case 'conflict': {
      const wrong = new sharedPb.WrongExpectedVersion()
      if (refusal.current < 0) wrong.setCurrentNoStream(new emptyPb.Empty())
      else wrong.setCurrentStreamRevision(refusal.current.toString())
      const details = wrong.serializeBinary()
      return tell(status.UNKNOWN, 'Wrong Expected Version.', 'event_store.client.WrongExpectedVersion', details)
    }
    case 'deleted': {
      const details = new sharedPb.StreamDeleted().serializeBinary()
      return tell(status.UNKNOWN, 'Stream Deleted.', 'event_store.client.StreamDeleted', details)
    }
    case 'too-large': {
      const large = new sharedPb.MaximumAppendSizeExceeded()
      large.setMaxappendsize(refusal.limitBytes)
      const name = 'event_store.client.MaximumAppendSizeExceeded'
      return tell(status.UNKNOWN, 'Maximum Append Size Exceeded.', name, large.serializeBinary())
    }
    case 'timeout':
    case 'uncommitted': {
      const details = new sharedPb.Timeout().serializeBinary()
      const message = refusal.kind === 'timeout' ? 'Timeout' : 'Commit phase timeout'
      return tell(status.UNKNOWN, message, 'event_store.client.Timeout', details)
    }
    case 'not-ready':
      return tell(status.UNAVAILABLE, 'Server Is Not Ready', 'google.protobuf.Empty', new Uint8Array())
  }
}

function streamIdentifier(stream: string): sharedPb.StreamIdentifier {
  const identifier = new sharedPb.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  return identifier
}
