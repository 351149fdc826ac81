import { keyedQueue } from '../keyed-queue.ts'
import type { Folded } from './fold-stream.ts'
import type { Log, Recorded } from './log.ts'
import { inPortions } from './portions.ts'

/**
 * What streams had come to after any of their events, for those who ask again and again about late events of long
 * streams: it is folded on from a mark that is near, in place of from the beginning, and each event is read once.
 */
export interface FoldHistory<S> {
  /** Undefined when the stream has no such event. The log's errors are passed on, and those of `fold`. */
  at(stream: string, revision: number): Promise<Folded<S> | undefined>
}

export interface FoldHistoryOptions<S> {
  readonly log: Pick<Log, 'read'>
  readonly fold: (state: S | undefined, recorded: Recorded) => S | undefined
  /** For states that their fold moves on in place. Default: it makes new ones. */
  readonly copy?: (state: S) => S
  /** How many things a state holds. Default: one. */
  readonly weigh?: (state: S) => number
  /** Of an event, besides the one thing that it is. Default: nothing. */
  readonly weighEvent?: (recorded: Recorded) => number
}

/** Events from one mark of a stream to the next. */
const MARK_EVERY = 250
/** All states and events together; those of the streams go first that were asked for least recently. */
const MAX_WEIGHT = 100_000

interface Known<S> {
  /** By n, after event `n * MARK_EVERY - 1`. */
  readonly marks: Map<number, Folded<S>>
  /** By n, the events after that one and before the next mark, as far as they were read. */
  readonly between: Map<number, Recorded[]>
  weight: number
}

export function foldHistory<S>({
  log,
  fold,
  copy = (state) => state,
  weigh = () => 1,
  weighEvent = () => 0,
}: FoldHistoryOptions<S>): FoldHistory<S> {
  /** In the order of their last use. */
  const streams = new Map<string, Known<S>>()
  const queue = keyedQueue()
  let weight = 0

  const knownOf = (stream: string): Known<S> => {
    const known = streams.get(stream) ?? { marks: new Map(), between: new Map(), weight: 0 }
    streams.delete(stream)
    streams.set(stream, known)
    return known
  }

  const bound = (): void => {
    for (const [stream, known] of streams) {
      if (weight <= MAX_WEIGHT) return
      weight -= known.weight
      streams.delete(stream)
    }
  }

  const foldTo = async (stream: string, revision: number): Promise<Folded<S> | undefined> => {
    const known = knownOf(stream)
    const { marks, between } = known
    let grown = 0
    let n = Math.floor((revision + 1) / MARK_EVERY)
    while (n > 0 && !marks.has(n)) n--
    const mark = marks.get(n)
    let state = mark && copy(mark.state)
    let last = mark?.last
    const move = (recorded: Recorded): void => {
      state = fold(state, recorded)
      last = recorded
      const count = recorded.revision + 1
      if (state === undefined || count % MARK_EVERY !== 0 || marks.has(count / MARK_EVERY)) return
      marks.set(count / MARK_EVERY, { state: copy(state), last })
      grown += 1 + weigh(state)
    }
    try {
      for (const recorded of between.get(n) ?? []) if (recorded.revision <= revision) move(recorded)
      const from = (last?.revision ?? -1) + 1
      if (from <= revision)
        for await (const batch of inPortions(log, stream, { from, limit: revision - from + 1 }))
          for (const recorded of batch) {
            const number = Math.floor(recorded.revision / MARK_EVERY)
            const theirs = between.get(number) ?? []
            between.set(number, theirs)
            theirs.push(recorded)
            grown += 1 + weighEvent(recorded)
            move(recorded)
          }
    } finally {
      if (streams.get(stream) === known) {
        known.weight += grown
        weight += grown
      }
      bound()
    }
    return state === undefined || last?.revision !== revision ? undefined : { state, last }
  }

  return { at: (stream, revision) => queue.run(stream, () => foldTo(stream, revision)) }
}
