import { setTimeout as delay } from 'node:timers/promises'
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerWritableStream } from '@grpc/grpc-js'
import type { Node } from './eventstore-standin-append.ts'
import {
  askedPlace,
  checkpointAfter,
  invalidRead,
  invalidSubscription,
  isAfterPlace,
  isInvalid,
} from './eventstore-standin-positions.ts'
import { indexAt, type Kept } from './eventstore-standin-store.ts'
import {
  caughtUpResponse,
  checkpointResponse,
  confirmationResponse,
  eventResponse,
  notFoundResponse,
  streamDeleted,
  streamNameOf,
} from './eventstore-standin-wire.ts'

export type ReadCall = ServerWritableStream<streamsPb.ReadReq, streamsPb.ReadResp>

/**
 * Streams.Read: reading and subscribing, of one stream and of `$all`. Not there: subscriptions to one stream (Lyceum
 * has none).
 */
export async function read(node: Node, call: ReadCall): Promise<void> {
  const options = call.request.getOptions()
  if (options === undefined) throw new Error('a read without options')
  node.count(options.hasSubscription() ? 'subscribe' : 'read')
  const name = options.getStream()?.getStreamIdentifier()?.getStreamName_asU8()
  if (name !== undefined) node.count(`read ${Buffer.from(name)}`)
  const write = writer(node, call)
  if (!options.hasSubscription() && node.behaviour.readDelayMs > 0) await delay(node.behaviour.readDelayMs)
  try {
    if (options.hasSubscription()) await subscribe(node, call, options, write)
    else if (options.hasAll()) {
      if (!(await readAll(node, call, options, write))) return
    } else if (!(await readStream(node, call, options, write))) return
    call.end()
  } catch (error) {
    if (!(error instanceof ClientGone)) throw error
  }
}

type Write = (response: streamsPb.ReadResp) => Promise<void>
type Options = streamsPb.ReadReq.Options

class ClientGone extends Error {}

/**
 * Waits while the gate is shut and while the client does not read. Rejects with ClientGone when nobody is there any
 * more.
 */
function writer({ gate }: Node, call: ReadCall): Write {
  let goOn = (): void => {}
  for (const event of ['drain', 'cancelled', 'close', 'error']) call.on(event, () => goOn())
  return async (response) => {
    await gate.passed()
    if (isOver(call)) throw new ClientGone()
    if (call.write(response)) return
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
  }
}

const isOver = (call: ReadCall): boolean => call.cancelled || call.destroyed

async function readStream(node: Node, call: ReadCall, options: Options, write: Write): Promise<boolean> {
  const from = options.getStream()
  if (from === undefined) throw new Error('neither a stream nor $all is to be read')
  const name = streamNameOf(from)
  if (node.store.isDeleted(name)) {
    call.emit('error', streamDeleted(name))
    return false
  }
  const shown = node.store.visible(name, node.behaviour.clock())
  if (shown === null) {
    await write(notFoundResponse(name))
    return true
  }
  const backwards = options.getReadDirection() === 1
  const border = from.hasRevision() ? Number(from.getRevision()) : from.hasEnd() ? Number.POSITIVE_INFINITY : 0
  const wanted = backwards
    ? shown.filter(({ revision }) => revision <= border).reverse()
    : shown.filter(({ revision }) => revision >= border)
  for (const kept of wanted.slice(0, Number(options.getCount())))
    await write(eventResponse(kept, node.behaviour.streamPositions))
  return true
}

async function readAll(node: Node, call: ReadCall, options: Options, write: Write): Promise<boolean> {
  const { all } = node.store
  const place = askedPlace(options)
  if (isInvalid(node.store, place)) {
    call.emit('error', invalidRead(node.behaviour))
    return false
  }
  const backwards = options.getReadDirection() === 1
  const border = place === null ? (options.getAll()?.hasEnd() ? all.length : 0) : indexAt(all, place.commit)
  const end = all.length
  let at = backwards ? border - 1 : border
  for (let left = Number(options.getCount()); left > 0 && at >= 0 && at < end; left--) {
    await write(eventResponse(all[at]!, true)) // 0 <= at < end
    at += backwards ? -1 : 1
  }
  return true
}

/**
 * Past events, then live ones, until the client goes; `position` is exclusive, also when it is a checkpoint between
 * events. Beyond the end there is nothing but silence until the log has grown past it.
 */
async function subscribe(node: Node, call: ReadCall, options: Options, write: Write): Promise<void> {
  const { store, behaviour } = node
  const { all } = store
  const matches = matcher(options)
  const from = options.getAll()
  if (from === undefined) throw new Error('the stand-in knows subscriptions to $all only')
  const place = askedPlace(options)
  // A position, not a place in the array: a scavenge takes events out.
  let seen = place === null ? (from.hasEnd() ? store.end() - 1n : -1n) : place.commit - 1n
  const next = (): Kept | undefined => all[indexAt(all, seen + 1n)]
  node.subscribedAfter.push(place?.commit ?? (from.hasEnd() ? -2n : -1n))
  let considered = 0
  let live = false
  let wake = (): void => {}
  const unwatch = store.watch(() => wake())
  for (const event of ['cancelled', 'close', 'error']) call.on(event, () => wake())
  try {
    await write(confirmationResponse())
    if (isInvalid(store, place)) {
      call.emit('error', invalidSubscription(behaviour))
      throw new ClientGone()
    }
    while (!isOver(call)) {
      for (let kept = next(); kept !== undefined; kept = next()) {
        seen = kept.position
        // Of a log that has to grow up to there first, what comes before is never delivered.
        if (place !== null && !isAfterPlace(kept, place)) continue
        if (matches.test(kept)) {
          await write(eventResponse(kept, true))
          node.count('sent')
        }
        if (++considered % matches.checkpointEvery === 0) {
          const { commit, prepare } = checkpointAfter(behaviour.checkpoints, kept)
          await write(checkpointResponse(commit, prepare))
          node.count('checkpoint')
        }
      }
      if (!live && behaviour.saysCaughtUp) await write(caughtUpResponse())
      live = true
      if (next() === undefined && !isOver(call)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unwatch()
  }
}

function matcher(options: Options): { test(kept: Kept): boolean; readonly checkpointEvery: number } {
  const filter = options.getFilter()
  const expression = filter?.getEventType() ?? filter?.getStreamIdentifier()
  if (filter === undefined || expression === undefined)
    return { test: () => true, checkpointEvery: Number.POSITIVE_INFINITY }
  const regex = expression.getRegex()
  const prefixes = expression.getPrefixList()
  const fits =
    regex === ''
      ? (text: string) => prefixes.some((prefix) => text.startsWith(prefix))
      : (text: string) => new RegExp(regex).test(text)
  const byType = filter.hasEventType()
  const window = filter.hasMax() ? filter.getMax() : 32
  return {
    test: ({ type, stream }) => fits(byType ? type : stream),
    checkpointEvery: window * filter.getCheckpointintervalmultiplier(),
  }
}
