import type { Server } from 'socket.io'
import { personName } from '../../../machines/stream.ts'
import type { Clock } from '../../clock.ts'
import { type Connection, type Mark, markOf, terminate, waitingBytes } from './connections.ts'
import type { SocketData } from './session.ts'

/** A reader who was disconnected, for the log line. */
export interface Terminated {
  /** `<org>.<id>`, or null when they had not said who they are. */
  readonly person: string | null
  readonly address: string
  readonly waitingBytes: number
  readonly why: 'too much waits for it' | 'it takes nothing'
}

export interface SlowReadersOptions {
  readonly io: Server
  readonly namespaces: readonly string[]
  readonly clock: Clock
  /** Told after the fact. The client sees a lost connection, comes back and gets a fresh opening state. */
  readonly onCutOff: (reader: Terminated) => void
}

const SWEEP_MS = 1_000
/**
 * More than anything legitimate: a `staff_init` with 10,000 unclaimed chats has some 5 MiB, and one with forty visitors
 * who have each written all that the queue takes (512 KiB) has 20. Somebody who takes it slowly must get it, or every
 * return would end the same way.
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
 * Bounds what waits in memory for each connection: looks once a second, and disconnects whoever has more than 32 MiB
 * waiting, or more than 1 MiB of which nothing was taken for 15 s. Between two looks one connection can be given more
 * than that: then the bound is what this node can push in a second. `stop` ends the looking.
 */
export function watchSlowReaders({ io, namespaces, clock, onCutOff }: SlowReadersOptions): { stop(): void } {
  const open = new Map<Connection, Progress>()
  const add = (connection: Connection): void => {
    open.set(connection, { mark: NOTHING, sweeps: 0 })
    connection.once('close', () => open.delete(connection))
  }
  const look = (): void => {
    for (const [connection, progress] of open) {
      const bytes = waitingBytes(connection)
      const stalled = hasStalled(connection, progress, bytes)
      if (bytes <= MAX_WAITING_BYTES && !stalled) continue
      const reader = {
        person: personOn(io, namespaces, connection),
        address: connection.remoteAddress,
        waitingBytes: bytes,
      }
      terminate(connection)
      onCutOff({ ...reader, why: stalled ? 'it takes nothing' : 'too much waits for it' })
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
}

const NOTHING: Mark = { head: undefined, taken: 0, queued: 0 }

function hasStalled(connection: Connection, progress: Progress, bytes: number): boolean {
  if (bytes <= STALLED_BYTES) {
    progress.sweeps = 0
    return false
  }
  const { mark } = progress
  progress.mark = markOf(connection)
  const { head, taken, queued } = progress.mark
  progress.sweeps = head === mark.head && taken === mark.taken && queued === mark.queued ? progress.sweeps + 1 : 0
  return progress.sweeps >= STALLED_SWEEPS
}

function personOn(io: Server, namespaces: readonly string[], connection: Connection): string | null {
  const sockets = namespaces.flatMap((name) => [...io.of(name).sockets.values()])
  for (const { conn, data } of sockets) {
    const { arrival } = data as Partial<SocketData> // set when they were let in
    if (conn === connection && arrival) return personName(arrival.party)
  }
  return null
}
