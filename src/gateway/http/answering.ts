import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientAddresses } from '../client-address.ts'
import type { WaitingBytes, WaitingReader } from '../waiting-bytes.ts'

export interface AnsweringOptions {
  readonly addresses: ClientAddresses
  readonly waiting: WaitingBytes
  /** How often it is looked who has taken what. */
  readonly lookMs: number
}

/** Requests that wait on one connection behind one that is being answered: no browser sends any. */
const MAX_PIPELINED = 16
/** In looks and not by the clock: a process that itself stood still must not blame its readers. */
const STALLED_LOOKS = 15

/** An answer that is not over. */
interface Answering {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly reader: WaitingReader
  taken: number
  /** Looks in a row at which nothing had been taken since the one before. */
  stalled: number
}

/**
 * Answers the requests of a connection one after another, so that who sends many and reads none is held one answer;
 * and cuts off whoever has more waiting than the budget allows, or takes nothing of an answer for 15 looks.
 */
export function answering({ addresses, waiting, lookMs }: AnsweringOptions) {
  /** What waits on each connection, behind the one that is being answered. */
  const lines = new WeakMap<Socket, (() => void)[]>()
  const open = new Set<Answering>()
  let timer: NodeJS.Timeout | undefined

  const over = (one: Answering): void => {
    if (!open.delete(one)) return
    one.reader.leaves()
    const line = lines.get(one.request.socket)
    const next = line?.shift()
    if (next) next()
    else lines.delete(one.request.socket)
  }

  const look = (one: Answering): void => {
    const { request, response, reader } = one
    const { socket } = request
    const bytes = response.writableLength
    const fits = reader.waits(bytes)
    const taken = socket.bytesWritten - socket.writableLength - queuedIn(socket)
    one.stalled = bytes > 0 && taken === one.taken ? one.stalled + 1 : 0
    one.taken = taken
    if (!fits || one.stalled >= STALLED_LOOKS) socket.destroy()
    if (socket.destroyed) over(one) // one that never had its turn there would hear nothing of its end
  }

  const lookAround = (): void => {
    timer = undefined
    for (const one of open) look(one)
    if (open.size > 0) timer = setTimeout(lookAround, lookMs).unref()
  }

  const begin = (listener: RequestListener, request: IncomingMessage, response: ServerResponse): void => {
    if (request.socket.destroyed) return
    const one = { request, response, reader: waiting.reader(addresses.of(request)), taken: -1, stalled: 0 }
    open.add(one)
    if (timer === undefined) timer = setTimeout(lookAround, lookMs).unref()
    response.once('close', () => over(one))
    // The listener of the framework has written its answer when it resolves, and never rejects.
    void Promise.resolve(listener(request, response)).then(() => open.has(one) && look(one))
  }

  return (listener: RequestListener, request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    const line = lines.get(socket)
    if (line === undefined) {
      lines.set(socket, [])
      begin(listener, request, response)
    } else if (line.push(() => begin(listener, request, response)) > MAX_PIPELINED) socket.destroy()
  }
}

/** Bytes that Node has handed over and the kernel has not taken; where Node stops telling, whole writes are seen. */
const queuedIn = (socket: Socket): number =>
  (socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
