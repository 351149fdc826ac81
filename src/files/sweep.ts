import type { Clock, Timer } from '../clock.ts'
import type { FileStore } from './file-store.ts'

export interface SweepOptions {
  readonly files: Pick<FileStore, 'list' | 'remove'>
  /** Whether an event refers to it. Rejects when that cannot be known now: then it stays. */
  readonly isReferred: (hash: string) => Promise<boolean>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** A file is written before its event: what no event refers to after a day was left by a crash, or a refusal. */
const OLDER_THAN_MS = 24 * 3_600_000
const EVERY_MS = 3_600_000

/** Removes files to which no event refers, once now. Gives how many. */
async function sweep({ files, isReferred, clock }: Omit<SweepOptions, 'onError'>): Promise<number> {
  const before = clock.now() - OLDER_THAN_MS
  let removed = 0
  for await (const { hash, at } of files.list())
    if (at < before && !(await isReferred(hash)) && (await files.remove(hash, before))) removed++
  return removed
}

/** Sweeps every hour, the first time in an hour. */
export function startSweeping(options: SweepOptions): { stop(): void } {
  const { clock, onError } = options
  let timer: Timer
  let isStopped = false
  const next = (): void => {
    timer = clock.after(EVERY_MS, () => {
      sweep(options)
        .catch(onError)
        .finally(() => {
          if (!isStopped) next()
        })
    })
  }
  next()
  return {
    stop() {
      isStopped = true
      timer.cancel()
    },
  }
}
