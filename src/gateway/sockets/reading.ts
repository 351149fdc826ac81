import type { Connection } from './connections.ts'

/** Why a connection is not read for now; it is read again when nobody holds it back any more. */
export type HoldReason = 'flood' | 'large frame'

const held = new WeakMap<Connection, Set<HoldReason>>()

/**
 * Leaves what the client sends in its own network, by TCP's back-pressure. Its pongs wait there, too: whoever holds a
 * connection back for longer than a moment sees to its ping. False for long polling, whose requests are read when they
 * come.
 */
export function holdReading(connection: Connection, why: HoldReason): boolean {
  const { socket } = (connection as unknown as Insides).transport
  if (!socket?.pause) return false
  const reasons = held.get(connection) ?? new Set()
  held.set(connection, reasons.add(why))
  if (!socket.isPaused) socket.pause()
  return true
}

export function resumeReading(connection: Connection, why: HoldReason): void {
  const reasons = held.get(connection)
  if (!reasons?.delete(why) || reasons.size > 0) return
  held.delete(connection)
  const { socket } = (connection as unknown as Insides).transport
  if (socket?.isPaused) socket.resume?.()
}

/** Of ws, which Engine.IO has no public name for. */
interface Insides {
  readonly transport: {
    readonly socket?: { readonly isPaused?: boolean; pause?(): void; resume?(): void }
  }
}
