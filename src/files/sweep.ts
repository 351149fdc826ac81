import type { Clock, Timer } from '../clock.ts'
import { within } from '../within.ts'
import type { FileStore } from './file-store.ts'

export interface SweepOptions {
  readonly files: Pick<FileStore, 'list' | 'remove' | 'tidy'>
  /** Whether an event refers to it. Rejects when that cannot be known now: then it stays. */
  readonly isReferred: (hash: string) => Promise<boolean>
  readonly clock: Clock
  /** Once in a pass, however much went wrong in it. */
  readonly onError: (error: unknown) => void
}

/** A file is written before its event: what no event refers to after a day was left by a crash, or a refusal. */
const OLDER_THAN_MS = 24 * 3_600_000
const EVERY_MS = 3_600_000
/** A store that does not answer is not waited for when the node stops: nothing is asked of it any more. */
const STOP_MS = 2_000

/** Sweeps every hour, the first time in an hour. After `stop` nothing is removed, nor any error reported. */
export function startSweeping(options: SweepOptions): { stop(): Promise<void> } {
  const { clock, onError } = options
  const leaving = new AbortController()
  let timer: Timer
  let underWay: Promise<void> = Promise.resolve()
  const pass = async (): Promise<void> => {
    const problem = await sweep(options, leaving.signal)
    if (leaving.signal.aborted) return
    if (problem) onError(problem)
    next()
  }
  const next = (): void => {
    timer = clock.after(EVERY_MS, () => {
      underWay = pass()
    })
  }
  next()
  return {
    async stop() {
      leaving.abort()
      timer.cancel()
      await within(STOP_MS, underWay)
    },
  }
}

/**
 * Removes files to which no event refers, and what killed puts have left. One file that cannot be looked at or removed
 * does not keep the others. Gives what went wrong.
 */
async function sweep(
  { files, isReferred, clock }: Omit<SweepOptions, 'onError'>,
  leaving: AbortSignal,
): Promise<Error | undefined> {
  const before = clock.now() - OLDER_THAN_MS
  let failures = 0
  let first: unknown
  const failed = (error: unknown): void => {
    first ??= error
    failures++
  }
  const look = async (hash: string): Promise<void> => {
    if (!(await isReferred(hash)) && !leaving.aborted) await files.remove(hash, before)
  }
  const lookAtAll = async (): Promise<void> => {
    for await (const { hash, at } of files.list()) {
      if (leaving.aborted) return
      if (at < before) await look(hash).catch(failed)
    }
  }
  await files.tidy(before).catch(failed)
  if (!leaving.aborted) await lookAtAll().catch(failed)
  if (failures === 0) return undefined
  const times = failures === 1 ? '' : `, and ${failures - 1} times more`
  return new Error(`the sweep of files left what it could not look at or remove: ${reasonOf(first)}${times}`, {
    cause: first,
  })
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
