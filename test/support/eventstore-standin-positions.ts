import type streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import { type ServiceError, status } from '@grpc/grpc-js'
import type { Behaviour } from './eventstore-standin-faults.ts'
import { indexAt, type Kept, recordSize, type StandinStore } from './eventstore-standin-store.ts'

/** A place in `$all` that a client asks for; places are compared by commit, then by prepare. */
export interface AskedPlace {
  readonly commit: bigint
  readonly prepare: bigint
}

/** Null for the start and for the end, which are always right. */
export function askedPlace(options: streamsPb.ReadReq.Options): AskedPlace | null {
  const place = options.getAll()?.getPosition()
  return place === undefined
    ? null
    : { commit: BigInt(place.getCommitPosition()), prepare: BigInt(place.getPreparePosition()) }
}

/**
 * Whether a record begins at this place. Where none does a server fails to read, as it takes something in the middle of
 * a record for its beginning; beyond the end there is nothing to be read.
 */
export function isInvalid({ all, end, isScavenged }: StandinStore, place: AskedPlace | null): boolean {
  if (place === null || place.commit === 0n || place.commit >= end()) return false
  return all[indexAt(all, place.commit)]?.position !== place.commit && !isScavenged(place.commit)
}

/** True for what comes after a place, exclusively; an event stands at (position, position). */
export const isAfterPlace = ({ position }: Kept, { commit, prepare }: AskedPlace): boolean =>
  position > commit || (position === commit && prepare < commit)

/** Server versions differ in how they say so. */
export const invalidRead = ({ invalidPosition }: Behaviour): Partial<ServiceError> => ({
  code: status.UNKNOWN,
  details: `Unexpected ReadAllResult: ${invalidPosition === 'as 24.6' ? 'InvalidPosition' : 'Error'}`,
})

export const invalidSubscription = ({ invalidPosition }: Behaviour): Partial<ServiceError> =>
  invalidPosition === 'as 24.6'
    ? { code: status.INVALID_ARGUMENT, details: 'Trying to read from an invalid position.' }
    : { code: status.UNKNOWN, details: 'Exception was thrown by handler.' }

/** The place that a checkpoint names after this event: it stays good to subscribe from. */
export const checkpointAfter = (kind: Behaviour['checkpoints'], kept: Kept): AskedPlace =>
  kind === 'seen'
    ? { commit: kept.position, prepare: kept.position }
    : { commit: kept.position + recordSize(kept), prepare: 0n }
