import type { PersonRef } from '../../../machines/stream.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection } from './connections.ts'
import { type Intake, Intakes } from './intake.ts'
import type { Lane } from './lane.ts'
import { holdReading, resumeReading } from './reading.ts'

/** Frames that may have to wait for their turn, of people who are known. */
export interface LargeFrames {
  /** More has come of what this person sends on this connection. */
  received(connection: Connection, person: PersonRef): void
  /** A frame has been handed to this lane: until its call has entered, its bytes are in memory. */
  taken(connection: Connection, lane: Lane): void
}

/** A large frame that is under way on a connection. */
interface UnderWay {
  readonly intake: Intake
  isTaken: boolean
  readonly done: () => void
}

/** What waits for its turn above this. */
const LARGE_BYTES = 64 * 1024
const LOOK_MS = 1_000
/** Whoever brings less than this in two looks, one after the other, is slow: 64 KiB a second. */
const SLOW_BYTES = 64 * 1024

/**
 * A hundred people who send a file at once must not fill the memory, nor keep everybody else waiting, and nobody must
 * wait for somebody who sends slowly: frames are read as far as there is room for them, and the rest of each waits in
 * the network of whoever sends it. As long as one comes, or is kept waiting here, its sender cannot be heard besides:
 * then no pong is missed.
 */
export function largeFrames(): LargeFrames {
  const intakes = new Intakes()
  const underWay = new Map<Connection, UnderWay>()
  const paces = new Map<Intake, { seen: number; slowLooks: number; readonly wait: () => void }>()
  let looking: NodeJS.Timeout | undefined

  const look = (): void => {
    for (const intake of intakes) {
      const pace = paces.get(intake)
      if (!pace) continue
      const came = intake.bytes - pace.seen
      pace.seen = intake.bytes
      if (came > 0 || intake.isPaused) pace.wait()
      if (intake.isPaused) continue
      pace.slowLooks = came < SLOW_BYTES ? pace.slowLooks + 1 : 0
      intake.isSlow = pace.slowLooks > 1
    }
    intakes.goOn()
    if (intakes.size > 0) return
    clearInterval(looking)
    looking = undefined
  }

  const begin = (connection: Connection, person: PersonRef): UnderWay => {
    const intake: Intake = {
      ...{ person: personName(person), org: person.org, bytes: 0, isPaused: false, isSlow: false },
      resume: () => resumeReading(connection, 'large frame'),
    }
    const wait = (): void => void (connection as unknown as Insides).pingTimeoutTimer?.refresh()
    const done = (): void => {
      connection.off('close', done)
      underWay.delete(connection)
      paces.delete(intake)
      intakes.remove(intake)
    }
    const its = { intake, isTaken: false, done }
    connection.once('close', done)
    underWay.set(connection, its)
    paces.set(intake, { seen: 0, slowLooks: 0, wait })
    intakes.add(intake)
    looking ??= setInterval(look, LOOK_MS)
    return its
  }

  return {
    received(connection, person) {
      const { _receiver: receiver } = (connection as unknown as Insides).transport.socket ?? {}
      const { _totalPayloadLength: whole = 0, _messageLength = 0, _bufferedBytes = 0 } = receiver ?? {}
      const before = underWay.get(connection)
      if (whole > LARGE_BYTES) {
        const { intake } = before ?? begin(connection, person)
        intake.bytes = Math.max(intake.bytes, _messageLength + _bufferedBytes)
        if (intake.isPaused || intakes.mayGoOn(intake)) return
        intake.isPaused = true
        holdReading(connection, 'large frame')
      } else if (before && !before.isTaken) setImmediate(() => !before.isTaken && before.done()) // it was no call
    },
    taken(connection, lane) {
      const its = underWay.get(connection)
      if (!its || its.isTaken) return
      its.isTaken = true
      paces.delete(its.intake) // all of it is here: what it takes now is not its sender's time
      lane.addAlways(async () => its.done())
    },
  }
}

/**
 * Where ws and Engine.IO keep what they have received, and their patience, which have no public name.
 * `test/contracts/project-sockets.test.ts` and the bench `fair` show that they are there.
 */
interface Insides {
  /** Ends the connection unless a pong comes; null when none is waited for. */
  readonly pingTimeoutTimer?: NodeJS.Timeout | null
  readonly transport: {
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: {
      readonly _receiver?: {
        /** Of the message that is being received, as its frames say; 0 between two. */
        readonly _totalPayloadLength: number
        /** What is here of it: whole frames, and of the next one. */
        readonly _messageLength: number
        readonly _bufferedBytes: number
      }
    }
  }
}
