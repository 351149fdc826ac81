import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerUnaryCall, ServiceError, sendUnaryData } from '@grpc/grpc-js'
import type { Node } from './eventstore-standin-append.ts'
import { expectedOf, streamDeleted, streamNameOf, wrongVersion } from './eventstore-standin-wire.ts'

type Delete = ServerUnaryCall<streamsPb.DeleteReq, streamsPb.DeleteResp>
type Tombstone = ServerUnaryCall<streamsPb.TombstoneReq, streamsPb.TombstoneResp>

/** Streams.Delete: the soft one. */
export function softDelete(node: Node, call: Delete, answer: sendUnaryData<streamsPb.DeleteResp>): void {
  const name = deletable(node, call.request.getOptions(), answer)
  if (name === null) return
  node.store.softDelete(name, node.behaviour.clock())
  answer(null, new streamsPb.DeleteResp())
}

/** Streams.Tombstone: for ever. */
export function tombstone(node: Node, call: Tombstone, answer: sendUnaryData<streamsPb.TombstoneResp>): void {
  const name = deletable(node, call.request.getOptions(), answer)
  if (name === null) return
  node.store.tombstone(name)
  answer(null, new streamsPb.TombstoneResp())
}

type Options = streamsPb.DeleteReq.Options | streamsPb.TombstoneReq.Options

/** The stream's name; null when the call was answered with a no. */
function deletable(node: Node, options: Options | undefined, answer: (no: ServiceError) => void): string | null {
  if (options === undefined) throw new Error('a deletion without options')
  const name = streamNameOf(options)
  const current = node.store.visible(name, node.behaviour.clock())?.at(-1)?.revision ?? -1
  const expected = expectedOf(options)
  const wanted = expected.kind === 'revision' ? expected.revision : current
  const isWrong = current < 0 || wanted !== current
  const no = node.store.isDeleted(name) ? streamDeleted(name) : isWrong ? wrongVersion(name, wanted, current) : null
  if (no === null) return name
  answer(no as ServiceError) // grpc-js takes partial ones, its types do not everywhere
  return null
}
