import type { Recorded } from '../../machines/kernel.ts'
import type { Clock, Timer } from '../clock.ts'
import { forEachLimited } from '../keyed-queue.ts'
import { StreamDamaged } from '../log/damaged.ts'

/** Something open that is ended at `dueAt`, milliseconds since 1970, if nobody has ended it by then. */
export interface Due {
  readonly id: string
  readonly dueAt: number
}

export interface OverdueOptions<D extends Due> {
  /** All that is open and has a due time, as the live model has it now. */
  readonly open: () => Iterable<D>
  /**
   * Ends one as of its due time; `damaged`: nothing can end it, and it is left alone. May reject: it is tried again,
   * unless that is with StreamDamaged.
   */
  readonly end: (due: D) => Promise<'ended' | 'damaged'>
  /** The due time that an event sets; null for others. */
  readonly dueBy: (recorded: Recorded) => number | null
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface Overdue {
  /** Once, when the live model is. Resolves when what was due has ended, or could not be ended yet. */
  start(): Promise<void>
  onEvent(recorded: Recorded): void
  stop(): void
}

const RETRY_MS = 1_000
/** After a night without a server many are due. */
const MAX_PARALLEL_ENDINGS = 16

/**
 * Ends what nobody has ended, within a second of when the clock shows its time, also where the clock was stepped there.
 * One timer for the earliest; what is due is read from the live model each time, so the
 * timer holds no history, and what became due while no server was there is ended at the start. Every node does it: a
 * thing ends once.
 */
export function overdue<D extends Due>({ open, end, dueBy, clock, onError }: OverdueOptions<D>): Overdue {
  const ending = new Set<string>()
  let next = Number.POSITIVE_INFINITY
  let timer: Timer | undefined
  let again: Timer | undefined
  let stopped = false

  const lookBy = (at: number): void => {
    if (stopped || at >= next) return
    next = at
    timer?.cancel()
    timer = clock.at(at, () => void look()) // does not reject
  }

  const lookAgain = (): void => {
    if (stopped) return
    again ??= clock.after(RETRY_MS, () => {
      again = undefined
      void look() // does not reject
    })
  }

  const look = async (): Promise<void> => {
    next = Number.POSITIVE_INFINITY
    const now = clock.now()
    const due: D[] = []
    for (const one of open()) {
      if (one.dueAt > now) lookBy(one.dueAt)
      else if (!ending.has(one.id)) due.push(one)
    }
    for (const { id } of due) ending.add(id)
    await forEachLimited(MAX_PARALLEL_ENDINGS, due, async (one) => {
      const became = await end(one).catch((error: unknown) => {
        onError(error)
        return error instanceof StreamDamaged ? 'damaged' : 'failed'
      })
      if (became === 'damaged') return
      ending.delete(one.id)
      lookAgain() // the live model has it in a moment; if not, once more
    })
  }

  return {
    start: look,
    onEvent(recorded) {
      const at = dueBy(recorded)
      if (at !== null) lookBy(at)
    },
    stop() {
      stopped = true
      timer?.cancel()
      again?.cancel()
    },
  }
}
