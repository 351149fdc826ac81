import type { Clock, Timer } from '../clock.ts'
import { denial, explained, failureOf } from './eventstore-errors.ts'
import type { Finding } from './eventstore-probe.ts'

/** Who is told whether the log can be worked with. */
export interface Health {
  readonly clock: Clock
  /** Why it cannot, one sentence, and again every `SAY_MS` while it lasts; null = it can again. */
  say(reason: string | null): void
  /** True until a start is over: until then calls wait for the server without end. */
  isStarting(): boolean
}

export interface Watched extends Pick<Health, 'clock' | 'say'> {
  /** One attempt at what all work needs: to read `$all`. Rejects as the client does, within a bounded time. */
  ask(): Promise<unknown>
  /** What stands where the client wants to go. */
  probe(): Promise<Finding>
}

export interface Watch {
  /**
   * Resolves when the server has answered; waits for it without end. Rejects with a sentence for people when waiting
   * does not help.
   */
  readonly begun: Promise<void>
  /** Why the log can neither be read as a whole nor followed, although the server answers; null = it can. */
  denied(): string | null
  /** A call has failed: look soon. */
  suspect(): void
  stop(): void
}

export const SAY_MS = 10_000
/** Between two looks, when all is well and when it is not. */
const STEADY_MS = 10_000
const SOON_MS = 1_000
/** A silence that is shorter than this is a restart or a new leader, no reason to send traffic elsewhere. */
const HICCUP_MS = 5_000
const DOING = 'reading $all'

type State =
  | { readonly kind: 'well' }
  /** `since`: by our clock. */
  | { readonly kind: 'silent'; readonly since: number; readonly reason: string }
  | { readonly kind: 'denied'; readonly reason: string }

/** Looks after one server: at the start until it answers, and then for as long as the log is open. */
export function watchServer({ clock, say, ask, probe }: Watched): Watch {
  const begun = Promise.withResolvers<void>()
  let isBegun = false
  let isStopped = false
  let state: State = { kind: 'well' }
  let next: { readonly at: number; readonly timer: Timer } | null = null
  let lookedAt = -Infinity
  const sayer = repeating(clock, say)

  async function look(): Promise<void> {
    next = null
    lookedAt = clock.now()
    const found = await finding()
    if (isStopped) return
    if (found.kind === 'fits') {
      state = { kind: 'well' }
      isBegun = true
      begun.resolve()
    } else if (found.kind === 'silent') {
      state = { kind: 'silent', since: state.kind === 'silent' ? state.since : lookedAt, reason: found.reason }
    } else {
      if (!isBegun) {
        begun.reject(new Error(found.reason))
        return stop()
      }
      state = { kind: 'denied', reason: found.reason }
    }
    if (state.kind === 'well') sayer.set(null)
    else if (isTold() || sayer.isSaying()) sayer.set(state.reason)
    lookAt(clock.now() + (state.kind === 'well' ? STEADY_MS : SOON_MS))
  }

  async function finding(): Promise<Finding> {
    try {
      await ask()
      return { kind: 'fits' }
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'denied') return { kind: 'unfit', reason: denial(DOING, failure.what) }
      if (failure.kind !== 'passing') return { kind: 'silent', reason: explained(DOING, error).message }
      const found = await probe()
      if (found.kind === 'fits')
        return { kind: 'silent', reason: `EventStoreDB is there but does not serve (${wordsOf(error)})` }
      // Whatever is wrong with certificates later on is waited for: they are renewed while we run.
      return isBegun ? { kind: 'silent', reason: found.reason } : found
    }
  }

  /** At the start everybody waits, and is told why at once. */
  const isTold = (): boolean => !isBegun || state.kind !== 'silent' || clock.now() - state.since >= HICCUP_MS

  function lookAt(at: number): void {
    next?.timer.cancel()
    next = { at, timer: clock.after(at - clock.now(), () => void look()) } // never rejects
  }

  function stop(): void {
    isStopped = true
    next?.timer.cancel()
    sayer.stop()
    begun.resolve() // whoever waits finds the log closed
  }

  void look() // never rejects
  return {
    begun: begun.promise,
    denied: () => (state.kind === 'denied' ? state.reason : null),
    suspect() {
      const soon = lookedAt + SOON_MS
      if (next !== null && next.at > soon) lookAt(soon)
    },
    stop,
  }
}

function wordsOf(error: unknown): string {
  const { message } = error as Error // what is thrown at us by the client always is one
  if (message.startsWith('Failed to discover')) return 'its cluster has no leader that is known'
  return /Server Is [\w ]+/.exec(message)?.[0] ?? message
}

/** Says a reason when it is new, and again every `SAY_MS` while it lasts; once when there is none any more. */
function repeating(clock: Clock, say: (reason: string | null) => void) {
  let current: string | null = null
  let timer: Timer | undefined
  const again = (): void => {
    say(current)
    timer = clock.after(SAY_MS, again)
  }
  return {
    set(reason: string | null) {
      if (reason === current) return
      current = reason
      timer?.cancel()
      if (reason === null) say(null)
      else again()
    },
    isSaying: () => current !== null,
    stop: () => timer?.cancel(),
  }
}
