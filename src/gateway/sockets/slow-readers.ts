import type { Server } from 'socket.io'
import { personName } from '../../../machines/stream.ts'
import type { Clock } from '../../clock.ts'
import type { WaitingBytes, WaitingReader } from '../waiting-bytes.ts'
import { type Connection, type Mark, markOf, terminate, waitingBytes } from './connections.ts'
import type { SocketData } from './session.ts'

/** A reader who was disconnected, for the log line. */
export interface Terminated {
  /** `<org>.<id>`, or null when they had not said who they are. */
  readonly person: string | null
  readonly address: string
  readonly waitingBytes: number
  readonly why: 'too much waits for it' | 'it takes nothing' | 'too much waits for its address'
}

export interface SlowReadersOptions {
  readonly io: Server
  readonly namespaces: readonly string[]
  readonly clock: Clock
  /** The budget of all that waits, HTTP's too. */
  readonly waiting: WaitingBytes
  /** Told after the fact. The client sees a lost connection, comes back and gets a fresh opening state. */
  readonly onCutOff: (reader: Terminated) => void
}

const SWEEP_MS = 1_000
/**
 * More than any opening state: a `staff_init` has 21 MiB at worst (LIMIT-15). Somebody who takes it slowly must get it,
 * or every return would end the same way.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024
/** Less than this is not worth a disconnection before the heartbeat finds out. */
const STALLED_BYTES = 1024 * 1024
/**
 * Without a single byte taken: a phone that changes cells stalls for less. Counted in sweeps and not by the clock,
 * because a process that itself stood still must not blame its readers.
 */
const STALLED_SWEEPS = 15

/**
 * A class that is told of everybody at once has more waiting than the budget of its address allows, for a moment: only
 * who takes little of it, look after look, is in the way.
 */
const SLOW_BYTES = 64 * 1024
const SLOW_SWEEPS = 3

/**
 * Bounds what waits in memory for each connection: looks once a second, and disconnects whoever has more than 32 MiB
 * waiting, or more than 1 MiB of which nothing was taken for 15 s, or who takes little while more waits for its
 * address, or in all, than the budget allows. Between two looks one connection can be given more than that: then the
 * bound is what this node can push in a second. `stop` ends the looking.
 */
export function watchSlowReaders({ io, namespaces, clock, waiting, onCutOff }: SlowReadersOptions): { stop(): void } {
  const open = new Map<Connection, Progress>()
  const add = (connection: Connection): void => {
    const reader = waiting.reader(connection.remoteAddress)
    open.set(connection, { mark: NOTHING, sweeps: 0, slow: 0, reader })
    connection.once('close', () => {
      open.delete(connection)
      reader.leaves()
    })
  }
  const look = (): void => {
    for (const [connection, progress] of open) {
      const bytes = waitingBytes(connection)
      const why = whyNot(connection, progress, bytes)
      if (why === null) continue
      const reader = {
        person: personOn(io, namespaces, connection),
        address: connection.remoteAddress,
        waitingBytes: bytes,
      }
      terminate(connection)
      onCutOff({ ...reader, why })
    }
    timer = clock.after(SWEEP_MS, look)
  }
  io.engine.on('connection', add)
  let timer = clock.after(SWEEP_MS, look)
  return {
    stop() {
      timer.cancel()
      io.engine.off('connection', add)
    },
  }
}

interface Progress {
  mark: Mark
  /** Looks in a row at which nothing had been taken since the one before. */
  sweeps: number
  /** Looks in a row at which little had been taken, and there was no room for what waits. */
  slow: number
  readonly reader: WaitingReader
}

const NOTHING: Mark = { head: undefined, taken: 0, queued: 0 }

/** Why it is to be cut off; null = it is not. */
function whyNot(connection: Connection, progress: Progress, bytes: number): Terminated['why'] | null {
  const before = progress.mark
  const hasRoom = progress.reader.waits(bytes)
  if (bytes > STALLED_BYTES || !hasRoom) progress.mark = markOf(connection)
  const { head, taken, queued } = progress.mark
  const isStill = head === before.head && taken === before.taken && queued === before.queued
  progress.sweeps = bytes > STALLED_BYTES && isStill ? progress.sweeps + 1 : 0
  progress.slow = !hasRoom && taken - before.taken < SLOW_BYTES ? progress.slow + 1 : 0
  if (bytes > MAX_WAITING_BYTES) return 'too much waits for it'
  if (progress.sweeps >= STALLED_SWEEPS) return 'it takes nothing'
  return progress.slow >= SLOW_SWEEPS ? 'too much waits for its address' : null
}

function personOn(io: Server, namespaces: readonly string[], connection: Connection): string | null {
  const sockets = namespaces.flatMap((name) => [...io.of(name).sockets.values()])
  for (const { conn, data } of sockets) {
    const { arrival } = data as Partial<SocketData> // set when they were let in
    if (conn === connection && arrival) return personName(arrival.party)
  }
  return null
}
