import {
  AccessDeniedError,
  convertToCommandError,
  DeadlineExceededError,
  type EventStoreDBClient,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  UnavailableError,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import type { Status } from '@eventstore/db-client/generated/status_pb.js'
import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js'
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js'
import { systemClock } from '../clock.ts'
import { internalsOf, type StreamsClient } from './eventstore-client.ts'
import { NoAnswer } from './eventstore-errors.ts'

/** An event as it goes to the server: data and metadata are JSON, in UTF-8. */
export interface Message {
  readonly id: string
  readonly type: string
  readonly data: Uint8Array
  readonly meta: Uint8Array
}

/** `expected` = exact revision of the stream's last event, -1 = no stream. */
export interface Append {
  readonly stream: string
  readonly expected: number
  readonly messages: readonly Message[]
}

/** Where the last event of an append stands. */
export interface Written {
  readonly revision: number
  readonly position: bigint
}

export interface Appender {
  /**
   * Sends one append over the client's channel. Rejects as the client's own calls do (see `failureOf`), at the latest
   * after `limitMs`: then nothing is known of it, and the same append may be sent again.
   */
  append(client: EventStoreDBClient, append: Append, limitMs: number): Promise<Written>
}

/** What has been sent and not been answered; whoever comes with more waits. One append is at most 1 MiB. */
const MAX_BYTES_UNDER_WAY = 8 * 1_024 * 1_024
/** The server compares it with a clock of its own, which may be wrong by hours: our own timer ends the wait. */
const DEADLINE_MS = 24 * 3_600_000

/**
 * Appends over one call of BatchAppend for each channel: many appends share it, each known by its correlation id. The
 * client's own way to do so has one table for all connections of a process, and two faults that end it; its unary way
 * costs four times as much. `givenUp(client)` is aborted when nothing more is to be expected of a client.
 */
export function appender(givenUp: (client: EventStoreDBClient) => AbortSignal): Appender {
  const calls = new WeakMap<StreamsClient, BatchCall>()

  const callOf = async (client: EventStoreDBClient): Promise<BatchCall> => {
    const { getGRPCClient, callArguments, handleError } = internalsOf(client)
    const grpc = await getGRPCClient(services.StreamsClient, 'append')
    const known = calls.get(grpc)
    if (known) return known
    const stream = grpc.batchAppend(...callArguments({}, { deadline: Number.POSITIVE_INFINITY }))
    const cancel = (): void => stream.cancel()
    const signal = givenUp(client)
    signal.addEventListener('abort', cancel)
    const call = new BatchCall(stream, (error) => {
      signal.removeEventListener('abort', cancel)
      calls.delete(grpc)
      void handleError(grpc, error)
    })
    calls.set(grpc, call)
    return call
  }

  return {
    async append(client, append, limitMs) {
      const call = await callOf(client)
      await call.room()
      return call.send(append, limitMs)
    },
  }
}

interface UnderWay {
  readonly stream: string
  readonly bytes: number
  readonly timer: NodeJS.Timeout
  resolve(written: Written): void
  reject(error: unknown): void
}

/** One call of BatchAppend, and what is under way in it. */
class BatchCall {
  readonly #call: ClientDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>
  readonly #broke: (error: Error) => void
  readonly #underWay = new Map<string, UnderWay>()
  readonly #waiting: (() => void)[] = []
  #bytes = 0
  #sent = 0
  #ended: Error | undefined

  /** `broke` is told once, before those who wait are. */
  constructor(
    call: ClientDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>,
    broke: (error: Error) => void,
  ) {
    this.#call = call
    this.#broke = broke
    call.on('data', (answer) => this.#answered(answer))
    call.on('error', (error: ServiceError) => this.#break(convertToCommandError(error)))
    call.on('end', () => this.#break(new UnavailableError(undefined, 'the server ended the call of all appends')))
  }

  /** Resolves when less is under way than is allowed. */
  async room(): Promise<void> {
    while (this.#bytes >= MAX_BYTES_UNDER_WAY) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  send(append: Append, limitMs: number): Promise<Written> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended
      const key = keyOf(++this.#sent)
      const bytes = append.messages.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0)
      const timer = setTimeout(() => {
        this.#forget(key)
        reject(new NoAnswer(`no answer within ${Math.round(limitMs)} ms`))
      }, limitMs)
      this.#underWay.set(key, { stream: append.stream, bytes, timer, resolve, reject })
      this.#bytes += bytes
      this.#call.write(requestOf(append, key))
    })
  }

  #answered(answer: streamsPb.BatchAppendResp): void {
    const one = this.#forget(keyIn(answer.getCorrelationId()))
    if (!one) return // answered too late
    const success = answer.getSuccess()
    const position = success?.getPosition()?.getCommitPosition()
    if (success !== undefined && position !== undefined)
      one.resolve({ revision: Number(success.getCurrentRevision()), position: BigInt(position) })
    else if (success !== undefined) one.reject(new Error(NO_POSITION))
    else {
      const error = rejectionOf(answer.getError(), one.stream)
      one.reject(error)
      // A node that is not ready may not become so: the next call looks for another one.
      if (error instanceof UnavailableError) this.#break(error)
    }
  }

  #forget(key: string): UnderWay | undefined {
    const one = this.#underWay.get(key)
    if (!one) return undefined
    this.#underWay.delete(key)
    clearTimeout(one.timer)
    this.#bytes -= one.bytes
    for (const go of this.#waiting.splice(0)) go()
    return one
  }

  #break(error: Error): void {
    if (this.#ended) return
    this.#ended = error
    this.#broke(error)
    for (const key of [...this.#underWay.keys()]) this.#forget(key)?.reject(error)
  }
}

const NO_POSITION = 'this EventStoreDB does not tell the position of what it appended: use 22.6 or newer'

/** Correlation ids only have to differ within one call. */
const KEY_HEAD = '00000000-0000-4000-8000-'
const keyOf = (nth: number): string => KEY_HEAD + nth.toString(16).padStart(12, '0')

/** Servers answer with the id as text or as two halves. */
function keyIn(id: sharedPb.UUID | undefined): string {
  const halves = id?.getStructured()
  if (halves === undefined) return id?.getString() ?? ''
  return keyOf(Number(BigInt.asUintN(48, BigInt(halves.getLeastSignificantBits()))))
}

function requestOf({ stream, expected, messages }: Append, key: string): streamsPb.BatchAppendReq {
  const identifier = new sharedPb.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  const options = new streamsPb.BatchAppendReq.Options()
  options.setStreamIdentifier(identifier)
  options.setDeadline(timestampPb.Timestamp.fromDate(new Date(systemClock.now() + DEADLINE_MS)))
  if (expected === -1) options.setNoStream(new emptyPb.Empty())
  else options.setStreamPosition(String(expected))
  const request = new streamsPb.BatchAppendReq()
  request.setCorrelationId(uuid(key))
  request.setOptions(options)
  request.setProposedMessagesList(messages.map(proposed))
  request.setIsFinal(true)
  return request
}

function proposed({ id, type, data, meta }: Message): streamsPb.BatchAppendReq.ProposedMessage {
  const message = new streamsPb.BatchAppendReq.ProposedMessage()
  message.setId(uuid(id))
  message.getMetadataMap().set('type', type).set('content-type', 'application/json')
  message.setData(data)
  message.setCustomMetadata(meta)
  return message
}

function uuid(text: string): sharedPb.UUID {
  const id = new sharedPb.UUID()
  id.setString(text)
  return id
}

type Details = readonly [name: string, made: (status: Status, stream: string) => Error]

const unpacked = <T>(status: Status, read: (bytes: Uint8Array) => T): T =>
  read(status.getDetails()?.getValue_asU8() ?? new Uint8Array())

/** What servers say of an append that they refuse, as the client's own errors. */
const REFUSALS: readonly Details[] = [
  [
    'WrongExpectedVersion',
    (status, stream) =>
      WrongExpectedVersionError.fromWrongExpectedVersion(
        unpacked(status, sharedPb.WrongExpectedVersion.deserializeBinary),
        stream,
      ),
  ],
  [
    'MaximumAppendSizeExceeded',
    (status) =>
      MaxAppendSizeExceededError.fromMaxAppendSize(
        unpacked(status, sharedPb.MaximumAppendSizeExceeded.deserializeBinary).getMaxappendsize(),
      ),
  ],
  ['StreamDeleted', (_, stream) => StreamDeletedError.fromStreamName(stream)],
  ['AccessDenied', () => new AccessDeniedError()],
  ['Timeout', (status) => new DeadlineExceededError(undefined, status.getMessage())],
]

/** gRPC's code. */
const UNAVAILABLE = 14

/** "Server Is Not Ready", "Server Is Busy" and their like come without details: `failureOf` reads the words. */
function rejectionOf(status: Status | undefined, stream: string): Error {
  if (status === undefined) return new UnknownError(undefined, 'an append was answered with neither yes nor no')
  const type = status.getDetails()?.getTypeName()
  const refusal = REFUSALS.find(([name]) => type === `event_store.client.${name}`)
  if (refusal) return refusal[1](status, stream)
  const message = status.getMessage()
  return status.getCode() === UNAVAILABLE
    ? new UnavailableError(undefined, message)
    : new UnknownError(undefined, message)
}
