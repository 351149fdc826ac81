import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { personName } from '../../../machines/stream.ts'
import type { Clock, Timer } from '../../clock.ts'
import type { CatchUp } from '../../delivery/catch-up.ts'
import { type Cursor, isAfter } from '../../delivery/cursor.ts'
import type { Follower } from '../../delivery/follower.ts'
import { personRoom, STREAMS } from '../../delivery/notice.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { Hearer } from '../../delivery/past.ts'
import { cursorAfter } from '../../delivery/placed-notice.ts'
import type { Leases } from '../../presence/leases.ts'
import { untilExpiry } from '../auth/expiry.ts'
import { httpRefusals } from '../refusals.ts'

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): one response that never ends for
 * each client, in the room of its person. Each event's `id` is the cursor of whoever has heard it, which clients send
 * back as `Last-Event-ID` by themselves.
 */
export interface EventStreams {
  readonly push: Outlet['push']
  /** Begins a stream, and tells what was missed. */
  open(stream: StreamOptions): void
  size(): number
  /** Of one person, on this node. */
  countOf(org: string, id: string): number
  /** Ends all of them: clients come back, to the next server. */
  end(): void
  /** Ends those of one person, who may not come back. */
  endOf(org: string, id: string): void
}

export interface StreamOptions {
  readonly response: ServerResponse
  readonly hearer: Hearer
  /** What it has heard; undefined: it hears what comes from now on. */
  readonly after: Cursor | null | undefined
  /** What it sent in place of a cursor of this log; it is told so. */
  readonly unknown: string | null
  /** Milliseconds since 1970; then it has to say again who it is. */
  readonly goodUntil: number
  readonly catchUp: CatchUp
}

export interface EventStreamsOptions {
  readonly leases: Pick<Leases, 'hold' | 'release'>
  readonly follower: Pick<Follower, 'position' | 'pos'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly pushed: (name: string) => void
}

/** Comments keep proxies from closing what is silent. */
const COMMENT_EVERY_MS = 15_000
/** Who has more than this waiting, or has taken nothing of it since the comment before, is cut off, and comes back. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const RETRY_MS = 2_000
/** Events that wait while it is told what it missed. */
const MAX_HELD = 20_000

interface Stream {
  readonly options: StreamOptions
  /** What was told to it before it came here. */
  until: string | null
  /** What waits until it has heard what it missed; null = nothing waits. */
  held: string[] | null
  /** Of the comment before: what was waiting then. */
  waiting: number
}

export function eventStreams({ leases, follower, clock, onError, pushed }: EventStreamsOptions): EventStreams {
  const rooms = new Map<string, Set<Stream>>()
  const all = new Set<Stream>()
  let timer: Timer | undefined

  const write = ({ options: { response } }: Stream, text: string): void => {
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy()
    else response.write(text)
  }

  const comment = (): void => {
    for (const stream of all) {
      const { response } = stream.options
      const waiting = response.writableLength
      // A reader who takes nothing for so long is none; what has not been told it asks for when it is back.
      if (waiting > 0 && waiting >= stream.waiting && stream.waiting > 0) response.destroy()
      else write(stream, ':\n\n')
      stream.waiting = response.writableLength
    }
    timer = all.size > 0 ? clock.after(COMMENT_EVERY_MS, comment) : undefined
  }

  const enter = (stream: Stream): void => {
    const { response, hearer, goodUntil } = stream.options
    const [lease, id] = [streamLease(hearer.party), randomUUID()]
    leases.hold(lease, id).catch(onError) // it counts as soon as they are available again
    const room = personRoom(hearer.party)
    const its = rooms.get(room) ?? new Set()
    rooms.set(room, its.add(stream))
    all.add(stream)
    timer ??= clock.after(COMMENT_EVERY_MS, comment)
    const expiry = untilExpiry(clock, goodUntil, () => response.end())
    response.once('close', () => {
      expiry.cancel()
      all.delete(stream)
      its.delete(stream)
      if (its.size === 0) rooms.delete(room)
      leases.release(lease, id).catch(onError)
    })
  }

  const tellMissed = async (stream: Stream, after: Cursor | null): Promise<void> => {
    const { response, hearer, catchUp } = stream.options
    const [upTo, pos] = [follower.position(), follower.pos()]
    stream.until = pos
    const rooms = [personRoom(hearer.party)]
    const isWanted = (): boolean => !response.destroyed
    const absence = { hearer, namespaces: [STREAMS], rooms, moves: false, after, upTo, isWanted }
    for await (const page of catchUp(absence)) {
      for (const { name, data, cursor } of page) write(stream, eventText(name, JSON.stringify(data), cursor))
      if (response.writableNeedDrain) await taken(response)
    }
    for (const text of stream.held ?? []) write(stream, text)
    stream.held = null
  }

  return {
    push({ room }, name, data, told) {
      const hearing = rooms.get(room)
      if (!hearing) return
      pushed(name)
      const cursor = told ? cursorAfter(told) : follower.pos()
      const text = eventText(name, JSON.stringify(data), cursor)
      for (const stream of hearing) {
        if (stream.until !== null && !isAfter(cursor, stream.until)) continue
        if (!stream.held) write(stream, text)
        // A client that has missed so much comes again, and is told from where it stopped.
        else if (stream.held.push(text) > MAX_HELD) stream.options.response.destroy()
      }
    },
    open(options) {
      const { response, after } = options
      const stream: Stream = { options, until: null, held: after === undefined ? null : [], waiting: 0 }
      response.writeHead(200, HEADERS)
      response.socket?.setNoDelay(true)
      // Without data: no event, but from here on it goes on when it comes back.
      response.write(`retry: ${RETRY_MS}\n${after === undefined ? `id: ${follower.pos()}\n` : ''}\n`)
      enter(stream)
      if (options.unknown !== null)
        write(stream, eventText('cursor_unknown', unknownCursor(options.unknown), follower.pos()))
      if (after === undefined) return
      tellMissed(stream, after).catch((error: unknown) => {
        onError(error)
        response.destroy() // lost: it comes back, and is told from where it stopped
      })
    },
    size: () => all.size,
    countOf: (org, id) => rooms.get(personRoom({ org, id }))?.size ?? 0,
    end() {
      timer?.cancel()
      for (const { options } of all) options.response.end()
    },
    endOf(org, id) {
      for (const { options } of rooms.get(personRoom({ org, id })) ?? []) options.response.end()
    },
  }
}

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Connection: 'keep-alive',
}

const unknownCursor = (after: string): string =>
  JSON.stringify({ after, code: 'cursor-unknown', message: httpRefusals['cursor-unknown'][1] })

/** JSON has no line breaks. */
const eventText = (name: string, json: string, cursor: string): string =>
  `id: ${cursor}\nevent: ${name}\ndata: ${json}\n\n`

function taken(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve)
  response.once('close', resolve)
  return promise
}

/** As leases name the streams of a person. */
export const streamLease = (person: { readonly org: string; readonly id: string }): string =>
  `stream ${personName(person)}`

/** The way out to both: what is told to `STREAMS` goes to streams, everything else to sockets. */
export const withStreams = (sockets: Outlet, streams: Pick<EventStreams, 'push' | 'endOf'>): Outlet => ({
  ...sockets,
  push(to, name, data, told) {
    if (to.namespace === STREAMS) streams.push(to, name, data, told)
    else sockets.push(to, name, data, told)
  },
  disconnectUser(org, id, why) {
    sockets.disconnectUser(org, id, why)
    streams.endOf(org, id)
  },
  hangUpUser(org, id, why) {
    sockets.hangUpUser(org, id, why)
    streams.endOf(org, id)
  },
})
