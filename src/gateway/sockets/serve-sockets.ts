import type { Namespace, Socket } from 'socket.io'
import { instantOf } from '../../clock.ts'
import { untilExpiry } from '../auth/expiry.ts'
import { type ArrivingOptions, arriving } from './arriving.ts'
import { type ConnectionRefused, refusalFor } from './connection-refused.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { seenUntil, wasClosedNormally } from './connections.ts'
import type { DroppedParticipants } from './dropped-participants.ts'
import type { Frames } from './frames.ts'
import type { InboundGate } from './inbound.ts'
import { hangUpOn } from './outlet.ts'
import { sendPacket } from './quick-frames.ts'
import type { SocketData } from './session.ts'

export interface ServeSocketsOptions extends ArrivingOptions {
  readonly namespace: Namespace
  readonly letIn: (socket: Socket) => Promise<void>
  readonly registry: ConnectionRegistry
  readonly inbound: InboundGate
  readonly dropped: Pick<DroppedParticipants, 'forget'>
  readonly frames: Pick<Frames, 'of'>
  /** Of one frame of whoever was let in. */
  readonly maxFrameBytes: number
  /** Somebody was hung up on, to come again. */
  readonly onPutOff: (why: ConnectionRefused['data']) => void
}

/** Lets clients in: what they are told on arrival, what they ask, and that they are gone. */
export function serveSockets(options: ServeSocketsOptions): void {
  const { namespace, letIn, frames, maxFrameBytes, onPutOff, dropped, receipts, registry, inbound, clock, onError } =
    options

  namespace.use((socket, next) => {
    letIn(socket).then(
      () => next(),
      (error: unknown) => {
        const refusal = refusalFor(error)
        if (!refusal) onError(error, 'a connection')
        if (!refusal?.isFinal) {
          onPutOff(refusal?.data ?? { code: 500, message: 'something broke on our side' })
          socket.conn.close()
        }
        next(refusal ?? new Error('hung up')) // to a connection that is closing nothing is told
      },
    )
  })

  const arrive = arriving(options)

  /** Whatever is thrown where nobody waits for it costs the connection that it was done for, and no more. */
  const guarded = (socket: Socket, what: string, run: () => void): void => {
    try {
      run()
    } catch (error) {
      onError(error, what)
      socket.conn.close()
    }
  }

  const ended = (socket: Socket, reason: string): void => {
    const { arrival, lane } = socket.data as SocketData
    const meant =
      reason === 'client namespace disconnect' ||
      (socket.data as SocketData).dismissed === true ||
      wasClosedNormally(socket.conn)
    const heardAt = seenUntil(socket.conn, reason)
    if (meant) dropped.forget(arrival.party.id)
    receipts.ended(socket, { meant, heardAt })
    // The end of a connection is a frame, too: what was sent before it is decided before it.
    const at = instantOf(clock, heardAt)
    lane.addEnd(() => {
      registry
        .left(arrival, socket.id, { how: meant ? 'closed' : 'lost', at })
        .catch((error: unknown) => onError(error, 'a disconnection'))
    })
  }

  const entered = (socket: Socket): void => {
    const { connection, arrival, lane } = socket.data as SocketData
    const its = frames.of(socket.conn)
    its.allow(namespace.name, maxFrameBytes, arrival.party)
    // An anonymous participant's token is nothing that expires.
    const expiry =
      arrival.kind !== 'anonymous' &&
      untilExpiry(clock, arrival.identity.exp * 1000, () => hangUpOn(socket, 'token expired'))
    socket.on('disconnect', (reason) => {
      if (expiry) expiry.cancel()
      if (namespace.name === '/') its.listener = undefined
      guarded(socket, 'a disconnection', () => ended(socket, reason))
    })
    const onCall = (name: unknown, args: unknown[]): void =>
      guarded(socket, 'a frame', () => {
        inbound.onFrame(name, args, connection, lane, its)
        its.taken(lane)
      })
    socket.onAny((name: unknown, ...args: unknown[]) => onCall(name, args))
    if (namespace.name === '/')
      its.listener = ({ name, args, id }) => {
        if (id !== undefined) args.push((...values: unknown[]) => sendPacket(socket, `3${id}${JSON.stringify(values)}`))
        onCall(name, args)
      }
    arrive(socket)
  }

  namespace.on('connection', (socket) => guarded(socket, 'a connection', () => entered(socket)))
}
