import type { Connection } from './connections.ts'
import type { Lane } from './lane.ts'

/** Frames above what strangers may send, in a namespace that lets them in. */
export interface LargeFrames {
  /** From now on this connection may send them. */
  allow(connection: Connection): LargeFramesOf
}

export interface LargeFramesOf {
  /** A frame has been handed to this lane: until its call has entered, its bytes are in memory. */
  taken(lane: Lane): void
}

/** What waits for its turn above this. */
const LARGE_BYTES = 256 * 1024
/**
 * So many are received, decoded and written at a time; whoever sends more of them waits with the rest of the frame in
 * their own network. A file of 5 MiB takes some 25 MiB on its way: as bytes of the frame, as text, as JSON, as a file.
 */
const AT_ONCE = 4

/**
 * A hundred people who send a file at once must not fill the memory, nor keep everybody else waiting: frames are read
 * a few at a time, and each has been dealt with before the next one is read on.
 */
export function largeFrames(maxBytes: number): LargeFrames {
  let free = AT_ONCE
  const waiting = new Set<() => void>()

  /** Calls at once, or when somebody else is done. Gives what ends the waiting. */
  const acquire = (go: () => void): (() => void) => {
    if (free > 0) {
      free--
      go()
      return () => {}
    }
    waiting.add(go)
    return () => void waiting.delete(go)
  }
  const release = (): void => {
    const [next] = waiting
    if (!next) free++
    else {
      waiting.delete(next)
      next()
    }
  }

  return {
    allow(connection) {
      let isHeld = false
      let isWaiting = false
      let isTaken = false
      let stopWaiting = (): void => {}
      const done = (): void => {
        if (!isHeld) return
        isHeld = false
        isTaken = false
        release()
      }

      const look = (socket: Receiving): void => {
        const isLarge = (socket._receiver?._totalPayloadLength ?? 0) > LARGE_BYTES
        if (isLarge && !isHeld && !isWaiting) {
          isWaiting = true
          stopWaiting = acquire(() => {
            isWaiting = false
            isHeld = true
            if (socket.isPaused) socket.resume?.()
          })
          if (isWaiting) socket.pause?.()
        } else if (!isLarge && isHeld && !isTaken) setImmediate(() => !isTaken && done()) // it was no call
      }

      const allow = (): void => {
        const { transport } = connection as unknown as Insides
        transport.maxHttpBufferSize = maxBytes
        const { socket } = transport
        if (!socket?._receiver) return
        socket._receiver._maxPayload = maxBytes
        socket._socket?.on('data', () => look(socket))
      }
      allow()
      connection.on('upgrade', allow)
      connection.once('close', () => {
        stopWaiting()
        isWaiting = false
        done()
      })
      return {
        taken(lane) {
          if (!isHeld || isTaken) return
          isTaken = true
          lane.addAlways(async () => done())
        },
      }
    },
  }
}

/**
 * Where ws and Engine.IO keep what they have received and their limits, which have no public name.
 * `test/contracts/project-sockets.test.ts` and the bench `fair` show that they are there.
 */
interface Insides {
  readonly transport: {
    /** Of long polling. */
    maxHttpBufferSize?: number
    readonly socket?: Receiving
  }
}

/** The ws socket, when the transport is a WebSocket. */
interface Receiving {
  readonly isPaused?: boolean
  pause?(): void
  resume?(): void
  readonly _socket?: { on(event: 'data', listener: () => void): void } | null
  /** `_totalPayloadLength`: of the message that is being received; 0 between two. */
  readonly _receiver?: { _maxPayload: number; readonly _totalPayloadLength: number }
}
