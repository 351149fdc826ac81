import type { Clock, Timer } from '../clock.ts'
import type { Diagnosis } from './eventstore-diagnosis.ts'
import { denial, explained, failureOf } from './eventstore-errors.ts'

/** Who is told whether the log can be worked with. */
export interface Health {
  readonly clock: Clock
  /** Why it cannot, one sentence, and again every `REPORT_EVERY_MS` while it lasts; null = it can again. */
  report(reason: string | null): void
  /** True until a start is over: until then calls wait for the server without end. */
  isStarting(): boolean
}

export interface Watched extends Pick<Health, 'clock' | 'report'> {
  /** One attempt at what all work needs: to read `$all`. Rejects as the client does, within a bounded time. */
  attempt(): Promise<unknown>
  /** What stands where the client wants to go. */
  diagnose(): Promise<Diagnosis>
}

export interface Watch {
  /**
   * Resolves when the server has answered; waits for it without end. Rejects with a sentence for people when waiting
   * does not help.
   */
  readonly begun: Promise<void>
  /** Why the log can neither be read as a whole nor followed, although the server answers; null = it can. */
  denied(): string | null
  /** A call has failed: check soon. */
  suspect(): void
  stop(): void
}

export const REPORT_EVERY_MS = 10_000
/** Between two checks, when all is well and when it is not. */
const STEADY_MS = 10_000
const SOON_MS = 1_000
/** A silence that is shorter than this is a restart or a new leader, no reason to send traffic elsewhere. */
const HICCUP_MS = 5_000
const DOING = 'reading $all'

type State =
  | { readonly kind: 'well' }
  /** `since`: by elapsed time. */
  | { readonly kind: 'silent'; readonly since: number; readonly reason: string }
  | { readonly kind: 'denied'; readonly reason: string }

/** Looks after one server: at the start until it answers, and then for as long as the log is open. */
export function watchServer({ clock, report, attempt, diagnose }: Watched): Watch {
  const begun = Promise.withResolvers<void>()
  let isBegun = false
  let isStopped = false
  let isSuspected = false
  let state: State = { kind: 'well' }
  let next: { readonly at: number; readonly timer: Timer } | null = null
  let checkedAt = -Infinity
  const reporter = repeating(clock, report)

  async function check(): Promise<void> {
    next = null
    isSuspected = false
    checkedAt = clock.elapsed()
    const found = await diagnosis()
    if (isStopped) return
    if (found.kind === 'fits') {
      state = { kind: 'well' }
      isBegun = true
      begun.resolve()
    } else if (found.kind === 'silent') {
      state = { kind: 'silent', since: state.kind === 'silent' ? state.since : checkedAt, reason: found.reason }
    } else {
      if (!isBegun) {
        begun.reject(new Error(found.reason))
        return stop()
      }
      state = { kind: 'denied', reason: found.reason }
    }
    if (state.kind === 'well') reporter.set(null)
    else if (isReported() || reporter.isReporting()) reporter.set(state.reason)
    checkAt(clock.elapsed() + (state.kind === 'well' && !isSuspected ? STEADY_MS : SOON_MS))
  }

  async function diagnosis(): Promise<Diagnosis> {
    try {
      await attempt()
      return { kind: 'fits' }
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'denied') return { kind: 'unfit', reason: denial(DOING, failure.what) }
      if (failure.kind !== 'passing') return { kind: 'silent', reason: explained(DOING, error).message }
      const found = await diagnose()
      if (found.kind === 'fits')
        return { kind: 'silent', reason: `EventStoreDB is there but does not serve (${wordsOf(error)})` }
      // Whatever is wrong with certificates later on is waited for: they are renewed while we run.
      return isBegun ? { kind: 'silent', reason: found.reason } : found
    }
  }

  /** At the start everybody waits, and is told why at once. */
  const isReported = (): boolean => !isBegun || state.kind !== 'silent' || clock.elapsed() - state.since >= HICCUP_MS

  function checkAt(at: number): void {
    next?.timer.cancel()
    next = { at, timer: clock.after(at - clock.elapsed(), () => void check()) } // never rejects
  }

  function stop(): void {
    isStopped = true
    next?.timer.cancel()
    reporter.stop()
    begun.resolve() // whoever waits finds the log closed
  }

  void check() // never rejects
  return {
    begun: begun.promise,
    denied: () => (state.kind === 'denied' ? state.reason : null),
    suspect() {
      isSuspected = true
      const soon = checkedAt + SOON_MS
      if (next !== null && next.at > soon) checkAt(soon)
    },
    stop,
  }
}

function wordsOf(error: unknown): string {
  const { message } = error as Error // what is thrown at us by the client always is one
  if (message.startsWith('Failed to discover')) return 'its cluster has no leader that is known'
  return /Server Is [\w ]+/.exec(message)?.[0] ?? message
}

/** Says a reason when it is new, and again every `REPORT_EVERY_MS` while it lasts; once when there is none any more. */
function repeating(clock: Clock, report: (reason: string | null) => void) {
  let current: string | null = null
  let timer: Timer | undefined
  const again = (): void => {
    report(current)
    timer = clock.after(REPORT_EVERY_MS, again)
  }
  return {
    set(reason: string | null) {
      if (reason === current) return
      current = reason
      timer?.cancel()
      if (reason === null) report(null)
      else again()
    },
    isReporting: () => current !== null,
    stop: () => timer?.cancel(),
  }
}
