import type { Server } from 'socket.io'
import { isSupervising, type Party, refuse } from '../../../machines/kernel.ts'
import type { Clock, Timer } from '../../clock.ts'
import { eventRef } from '../../delivery/notice.ts'
import type { Log } from '../../log/log.ts'
import type { Answer } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { replayChat, type Step } from './past.ts'

export interface ReplaysOptions {
  readonly io: Server
  readonly log: Log
  readonly entities: Entities
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

export interface Replays {
  /**
   * Starts telling the past of a chat to one socket; `speed` 2 = twice as fast as it happened. One replay of a chat at
   * a time.
   */
  start(party: Party, socket: string, room: string, speed: number): Promise<Answer>
  stop(socket: string, room: string): Answer
  /** The socket is gone, or (without a name) the server stops. */
  forget(socket?: string): void
}

/**
 * `replay_chat`: every recorded notice comes again as `replay_event` {room, id, seq, pos, at, speed, to, event, data},
 * paced by the log's own times; `replay_ended` {room, seq} comes last. Only supervisors and admins of the chat's
 * organisation.
 */
export function replays({ io, log, entities, clock, onError }: ReplaysOptions): Replays {
  const running = new Map<string, Map<string, AbortController>>()

  const run = async (socket: string, room: string, speed: number, { signal }: AbortController): Promise<void> => {
    const to = io.to(socket)
    let previous: Step | undefined
    for await (const step of replayChat(log, room)) {
      if (previous) await pause((step.recorded.at - previous.recorded.at) / speed, signal)
      if (signal.aborted) return
      const { recorded } = step
      for (const { to: audience, name, data } of step.notices) {
        to.emit('replay_event', {
          room,
          ...eventRef(recorded),
          at: recorded.at,
          speed,
          to: audience.kind,
          event: name,
          data,
        })
      }
      previous = step
    }
    to.emit('replay_ended', { room, seq: previous?.recorded.revision ?? -1 })
  }

  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer: Timer = clock.after(Math.max(0, ms), done)
      signal.addEventListener('abort', done)
      function done(): void {
        timer.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })

  const end = (socket: string, room: string): boolean => {
    const theirs = running.get(socket)
    const replay = theirs?.get(room)
    replay?.abort()
    theirs?.delete(room)
    if (theirs?.size === 0) running.delete(socket)
    return replay !== undefined
  }

  return {
    async start(party, socket, room, speed) {
      if (!isSupervising(party.role)) return refuse('supervisors-only')
      const { revision, state } = await entities.state('chat', room)
      if (revision < 0 || state.context.org !== party.org) return refuse('no-such-chat')
      end(socket, room) // asking again starts over
      const replay = new AbortController()
      const theirs = running.get(socket) ?? new Map<string, AbortController>()
      running.set(socket, theirs.set(room, replay))
      run(socket, room, speed, replay)
        .catch((error: unknown) => onError(error, 'a replay'))
        .finally(() => {
          if (running.get(socket)?.get(room) === replay) end(socket, room)
        })
      return { kind: 'done', id: null, seq: revision, position: null, events: [] }
    },
    stop(socket, room) {
      return end(socket, room) ? { kind: 'done', id: null, seq: -1, position: null, events: [] } : refuse('no-replay')
    },
    forget(socket) {
      const sockets = socket === undefined ? [...running.keys()] : [socket]
      for (const one of sockets) for (const room of [...(running.get(one)?.keys() ?? [])]) end(one, room)
    },
  }
}
