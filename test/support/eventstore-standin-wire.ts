import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Expected, Kept, Raw } from './eventstore-standin-store.ts'

/** .NET ticks are 100 ns. */
const TICKS_PER_MS = 10_000n
const NO_POSITION = (2n ** 64n - 1n).toString()

interface WithStream {
  getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined
}

export const streamNameOf = (options: WithStream): string =>
  Buffer.from(options.getStreamIdentifier()?.getStreamName_asU8() ?? '').toString('utf8')

/** A proposed event; the unary and the batch call have the same shape of it. */
export function rawOf(message: streamsPb.AppendReq.ProposedMessage | streamsPb.BatchAppendReq.ProposedMessage): Raw {
  const metadata = message.getMetadataMap()
  return {
    id: message.getId()?.getString() ?? '',
    type: metadata.get('type') ?? '',
    json: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    meta: message.getCustomMetadata_asU8(),
  }
}

export function expectedOf(options: streamsPb.AppendReq.Options | streamsPb.BatchAppendReq.Options): Expected {
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

export const appendTooLarge = (limitBytes: number): Partial<ServiceError> =>
  refusal(status.INVALID_ARGUMENT, 'maximum-append-size-exceeded', 'Maximum Append Size Exceeded.', {
    'maximum-append-size': String(limitBytes),
  })

export const notLeader = ({ host, port }: { readonly host: string; readonly port: number }): Partial<ServiceError> =>
  refusal(status.NOT_FOUND, 'not-leader', 'Leader info available', {
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  })

function streamIdentifier(stream: string): sharedPb.StreamIdentifier {
  const identifier = new sharedPb.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  return identifier
}
