import { isSupervising, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import { eventRef } from '../../delivery/notice.ts'
import type { Answer } from '../../runtime/answer.ts'
import { replayChat, type Step } from './past.ts'

export interface Replays {
  /**
   * Starts telling the past of a chat to one connection; `speed` 2 = twice as fast as it happened. One replay of a chat
   * at a time.
   */
  start(to: Connection, room: string, speed: number): Promise<Answer>
  stop(to: Connection, room: string): Answer
  /** Ends all of them: the node stops. */
  forget(): void
}

/**
 * `replay_chat`: every recorded notice comes again as `replay_event` {room, id, seq, pos, at, speed, to, event, data},
 * paced by the log's own times; `replay_ended` {room, seq} comes last. Only supervisors and admins of the chat's
 * organisation.
 */
export function replays({
  log,
  entities,
  clock,
  onError,
}: Pick<Node, 'log' | 'entities' | 'clock' | 'onError'>): Replays {
  /** By connection, then by chat. A connection that has ever replayed stands here until it is closed. */
  const running = new Map<string, Map<string, AbortController>>()

  const run = async (to: Connection, room: string, speed: number, { signal }: AbortController): Promise<void> => {
    let previous: Step | undefined
    for await (const step of replayChat(log, room)) {
      if (previous) await pause((step.recorded.at - previous.recorded.at) / speed, signal)
      if (signal.aborted) return
      const { recorded } = step
      const { at } = recorded
      for (const { to: audience, name, data } of step.notices) {
        to.emit('replay_event', { room, ...eventRef(recorded), at, speed, to: audience.kind, event: name, data })
      }
      previous = step
    }
    to.emit('replay_ended', { room, seq: previous?.recorded.revision ?? -1 })
  }

  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer = clock.after(Math.max(0, ms), done)
      signal.addEventListener('abort', done)
      function done(): void {
        timer.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })

  const of = (to: Connection): Map<string, AbortController> => {
    const known = running.get(to.id)
    if (known) return known
    const theirs = new Map<string, AbortController>()
    running.set(to.id, theirs)
    to.onClosed(() => {
      for (const replay of theirs.values()) replay.abort()
      running.delete(to.id)
    })
    return theirs
  }

  return {
    async start(to, room, speed) {
      if (!isSupervising(to.party.role)) return refuse('supervisors-only')
      const seq = await entities.judged('chat', room, ({ revision, state }) =>
        revision < 0 || state.context.org !== to.party.org ? refuse('no-such-chat') : revision,
      )
      if (seq instanceof Refusal) return seq
      const theirs = of(to)
      theirs.get(room)?.abort() // asking again starts over
      const replay = new AbortController()
      theirs.set(room, replay)
      run(to, room, speed, replay)
        .catch((error: unknown) => onError(error, 'a replay'))
        .finally(() => {
          if (theirs.get(room) === replay) theirs.delete(room)
        })
      return { kind: 'done', id: null, seq, position: null, events: [] }
    },
    stop(to, room) {
      const theirs = running.get(to.id)
      const replay = theirs?.get(room)
      if (!theirs || !replay) return refuse('no-replay')
      replay.abort()
      theirs.delete(room)
      return { kind: 'done', id: null, seq: -1, position: null, events: [] }
    },
    forget() {
      for (const theirs of running.values()) for (const replay of theirs.values()) replay.abort()
      running.clear()
    },
  }
}
