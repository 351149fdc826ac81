import { isSupervising, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import { eventRef } from '../../delivery/notice.ts'
import type { Answer } from '../../runtime/answer.ts'
import type { IsOurs } from './own-chats.ts'
import { replayChat, type Step } from './past.ts'

export interface Replays {
  /**
   * Starts telling the past of a chat to one connection; `speed` 2 = twice as fast as it happened. One replay a
   * connection: another one takes its place.
   */
  start(to: Connection, room: string, speed: number): Promise<Answer>
  stop(to: Connection, room: string): Answer
  /** Ends all of them: the node stops. */
  forget(): void
}

export interface ReplaysParts extends Pick<Node, 'log' | 'entities' | 'clock' | 'onError'> {
  readonly isOurs: IsOurs
}

/** Each holds some MiB of the log, and of what is told, at most. */
const MAX_OF_PERSON = 4
const MAX_IN_ALL = 32

interface Running {
  readonly to: Connection
  readonly room: string
  readonly ended: AbortController
}

/**
 * `replay_chat`: every recorded notice comes again as `replay_event` {room, id, seq, pos, at, speed, to, event, data},
 * paced by the log's own times and by how fast it is read; `replay_ended` {room, seq} comes last. Only supervisors and
 * admins of the chat's organisation.
 */
export function replays({ log, entities, isOurs, clock, onError }: ReplaysParts): Replays {
  /** By connection. */
  const running = new Map<string, Running>()
  /** Connections that have ever replayed, until they are closed. */
  const known = new Set<string>()
  /** By connection: whoever waits until it has read, waits for one and the same thing. */
  const reading = new Map<string, Promise<void>>()

  const run = async ({ to, room, ended: { signal } }: Running, speed: number): Promise<void> => {
    let previous: Step | undefined
    await hasRead(to, signal)
    if (signal.aborted) return
    for await (const step of replayChat(log, room)) {
      if (previous) await pause((step.recorded.at - previous.recorded.at) / speed, signal)
      if (signal.aborted) return
      const { recorded } = step
      const { at } = recorded
      for (const { to: audience, name, data } of step.notices) {
        to.emit('replay_event', { room, ...eventRef(recorded), at, speed, to: audience.kind, event: name, data })
      }
      previous = step
      await hasRead(to, signal)
      if (signal.aborted) return
    }
    to.emit('replay_ended', { room, seq: previous?.recorded.revision ?? -1 })
  }

  const hasRead = (to: Connection, signal: AbortSignal): Promise<void> => {
    const drained = reading.get(to.id) ?? to.drained().finally(() => reading.delete(to.id))
    reading.set(to.id, drained)
    return orAborted(signal, (done) => {
      void drained.then(done)
      return () => {}
    })
  }

  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    orAborted(signal, (done) => {
      const timer = clock.after(Math.max(0, ms), done)
      return () => timer.cancel()
    })

  const end = (id: string): void => {
    running.get(id)?.ended.abort()
    running.delete(id)
  }

  const meet = (to: Connection): void => {
    if (known.has(to.id)) return
    known.add(to.id)
    to.onClosed(() => {
      known.delete(to.id)
      end(to.id)
    })
  }

  const isTooMany = ({ party: { org, id } }: Connection): boolean => {
    const theirs = [...running.values()].filter(({ to: { party } }) => party.org === org && party.id === id)
    return running.size >= MAX_IN_ALL || theirs.length >= MAX_OF_PERSON
  }

  return {
    async start(to, room, speed) {
      if (!isSupervising(to.party.role)) return refuse('supervisors-only')
      if (!(await isOurs(room, to.party))) return refuse('no-such-chat')
      const seq = await entities.judged('chat', room, ({ revision, state }) =>
        revision < 0 || state.context.org !== to.party.org ? refuse('no-such-chat') : revision,
      )
      if (seq instanceof Refusal) return seq
      end(to.id)
      if (isTooMany(to)) return refuse('too-many-replays')
      meet(to)
      const replay: Running = { to, room, ended: new AbortController() }
      running.set(to.id, replay)
      run(replay, speed)
        .catch((error: unknown) => onError(error, 'a replay'))
        .finally(() => {
          if (running.get(to.id) === replay) running.delete(to.id)
        })
      return { kind: 'done', id: null, seq, position: null, events: [] }
    },
    stop(to, room) {
      if (running.get(to.id)?.room !== room) return refuse('no-replay')
      end(to.id)
      return { kind: 'done', id: null, seq: -1, position: null, events: [] }
    },
    forget() {
      for (const id of [...running.keys()]) end(id)
    },
  }
}

/** Resolves when `begin` calls `done`, or when the signal comes; then with what `begin` gave to take it back. */
function orAborted(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const takeBack = begin(done)
    signal.addEventListener('abort', done)
    function done(): void {
      takeBack()
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
