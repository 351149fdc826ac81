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

/** Requests that wait on a connection behind one that is being answered, and all of an address: no browser has any. */
const MAX_AHEAD = 16
const MAX_AHEAD_PER_ADDRESS = 256
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

/** What waits on a connection, behind the request that is being answered. */
interface Line {
  readonly address: string
  readonly waiting: (() => void)[]
}

/**
 * Answers the requests of a connection one after another, so that who sends many and reads none is held one answer;
 * and cuts off whoever has more waiting than the budget allows, or takes nothing of an answer for 15 looks. While one
 * waits the connection is not read; one with a body may not be sent ahead.
 */
export function answering({ addresses, waiting, lookMs }: AnsweringOptions) {
  const lines = new WeakMap<Socket, Line>()
  const ahead = new Map<string, number>()
  const open = new Set<Answering>()
  let timer: NodeJS.Timeout | undefined

  const counted = (address: string, change: 1 | -1): number => {
    const count = (ahead.get(address) ?? 0) + change
    if (count === 0) ahead.delete(address)
    else ahead.set(address, count)
    return count
  }

  const over = (one: Answering): void => {
    if (!open.delete(one)) return
    one.reader.leaves()
    const { socket } = one.request
    const line = lines.get(socket)
    const next = line?.waiting.shift()
    if (line === undefined || next === undefined) {
      lines.delete(socket)
      return
    }
    counted(line.address, -1)
    if (line.waiting.length === 0) socket.resume()
    next()
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
    const one = { request, response, reader: waiting.reader(addresses.of(request)), taken: -1, stalled: 0 }
    open.add(one)
    if (request.socket.destroyed) {
      over(one)
      return
    }
    if (timer === undefined) timer = setTimeout(lookAround, lookMs).unref()
    response.once('close', () => over(one))
    // The listener of the framework has written its answer when it resolves, and never rejects.
    void Promise.resolve(listener(request, response)).then(() => open.has(one) && look(one))
  }

  return (listener: RequestListener, request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    const line = lines.get(socket)
    if (line === undefined) {
      lines.set(socket, { address: addresses.of(request), waiting: [] })
      begin(listener, request, response)
      return
    }
    line.waiting.push(() => begin(listener, request, response))
    socket.pause()
    const all = counted(line.address, 1)
    if (hasBody(request) || line.waiting.length > MAX_AHEAD || all > MAX_AHEAD_PER_ADDRESS) socket.destroy()
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Bytes that Node has handed over and the kernel has not taken; where Node stops telling, whole writes are seen. */
const queuedIn = (socket: Socket): number =>
  (socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
