import { type Clock, systemClock } from '../../clock.ts'

/** Answers one call. It calls `entered` once, as soon as its command stands in a mailbox. It reports its own errors. */
export type Turn = (entered: () => void) => Promise<void>

/** The calls of one connection, in the order of its frames. */
export interface Lane {
  /**
   * Starts the call when the one before it has entered its mailbox, in this very turn if that is so already. False when
   * too many wait: then it never starts. `afterAnswers`: it starts when all before it are answered.
   */
  add(turn: Turn, afterAnswers?: boolean): boolean
  /** As `add`, however many wait: for the server's own work. */
  addAlways(turn: Turn): void
  /**
   * For the end of the connection: runs once, after everything that waits here, or two seconds from now. Whoever is
   * gone is not kept online by a call that never enters.
   */
  addEnd(run: () => void): void
}

/** Of these each holds at most 64 KiB of content. */
const MAX_WAITING = 256
const LAST_CALLS_MS = 2_000

/**
 * A call starts when the one before it has entered its mailbox, not when it was answered: mailboxes keep the order, and
 * whoever sends many calls in one go has them decided and appended together. Nearly every call enters in the turn in
 * which it starts, so nearly always nothing waits here. A call that never says that it has entered, because it was
 * refused before, or asks nobody, has entered when it is answered.
 */
export function openLane(clock: Clock = systemClock): Lane {
  const waiting: { readonly turn: Turn; readonly afterAnswers: boolean }[] = []
  let isEntering = false
  let unanswered = 0
  let isStarting = false

  const start = (turn: Turn): void => {
    isEntering = true
    unanswered++
    let hasEntered = false
    const entered = (): void => {
      if (hasEntered) return
      hasEntered = true
      isEntering = false
      next()
    }
    const answered = (): void => {
      unanswered--
      if (hasEntered) next()
      else entered()
    }
    void (async () => turn(entered))().then(answered, answered) // async: whatever it throws is a rejection
  }

  // A loop, because calls that enter at once would otherwise start one another ever deeper.
  const next = (): void => {
    if (isStarting) return
    isStarting = true
    while (!isEntering) {
      const first = waiting[0]
      if (first === undefined || (first.afterAnswers && unanswered > 0)) break
      waiting.shift()
      start(first.turn)
    }
    isStarting = false
  }

  const add = (turn: Turn, afterAnswers = false): void => {
    waiting.push({ turn, afterAnswers })
    next()
  }

  return {
    add(turn, afterAnswers) {
      if (waiting.length >= MAX_WAITING) return false
      add(turn, afterAnswers)
      return true
    },
    addAlways: (turn) => add(turn),
    addEnd(run) {
      let hasRun = false
      const once = (): void => {
        if (hasRun) return
        hasRun = true
        timer.cancel()
        run()
      }
      const timer = clock.after(LAST_CALLS_MS, once)
      add(async () => once())
    },
  }
}
