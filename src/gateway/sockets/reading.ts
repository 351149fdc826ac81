import type { Connection } from './connections.ts'

/** Why a connection is not read for now; it is read again when nobody holds it back any more. */
export type HoldReason = 'flood' | 'turn' | 'large frame'

const held = new WeakMap<Connection, Set<HoldReason>>()

/**
 * Leaves what the client sends in its own network, by TCP's back-pressure, and what has come of it already unread. Its
 * pongs wait there, too: whoever holds a connection back for longer than a moment sees to its ping. False for long
 * polling, whose requests are read when they come.
 */
export function holdReading(connection: Connection, why: HoldReason): boolean {
  const { socket } = (connection as unknown as Insides).transport
  if (!socket?.pause) return false
  const reasons = held.get(connection) ?? new Set()
  held.set(connection, reasons.add(why))
  if (socket._receiver) socket._receiver._loop = false // ws looks at it after each frame
  if (!socket.isPaused) socket.pause()
  return true
}

/**
 * It goes on after all that runs now: this may be called because of a frame that ws is in the middle of, and ws begins
 * no second loop over the same bytes unharmed.
 */
export function resumeReading(connection: Connection, why: HoldReason): void {
  const reasons = held.get(connection)
  if (!reasons?.delete(why) || reasons.size > 0) return
  held.delete(connection)
  queueMicrotask(() => readOn(connection))
}

function readOn(connection: Connection): void {
  const { socket } = (connection as unknown as Insides).transport
  if (held.has(connection) || !socket || socket.readyState === CLOSED) return
  const { _receiver: receiver } = socket
  if (receiver && !receiver._errored && receiver._bufferedBytes > 0)
    receiver.startLoop((error) => {
      if (error) receiver.destroy(error) // as a stream does that hears it from what is written to it
    })
  if (!held.has(connection) && socket.isPaused) socket.resume?.()
}

/** RFC 6455's state, as ws has it. One that is closing is still read: its client has to agree to the end. */
const CLOSED = 3

/** It is over: nobody holds it back any more. */
export function releaseReading(connection: Connection): void {
  for (const why of [...(held.get(connection) ?? [])]) resumeReading(connection, why)
}

/** Of ws, which Engine.IO has no public name for. `test/gateway/frames.test.ts` shows that it is there. */
interface Insides {
  readonly transport: {
    readonly socket?: {
      readonly readyState: number
      readonly isPaused?: boolean
      pause?(): void
      resume?(): void
      readonly _receiver?: {
        /** It goes on with what it has. */
        _loop: boolean
        readonly _errored: boolean
        readonly _bufferedBytes: number
        startLoop(done: (error?: Error) => void): void
        destroy(error: Error): void
      } | null
    }
  }
}
