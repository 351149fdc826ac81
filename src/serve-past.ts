import { damageIn, type StreamDamaged } from './log/damaged.ts'
import { AnotherPast, type Checkpoint, type Log } from './log/log.ts'
import { openTrail, type Trail } from './log/trail.ts'
import type { Logger } from './observe/logger.ts'
import { NotWritten } from './outage.ts'

/** What one run of the node tells of the log's past. Whatever is told twice is told once. */
export interface RunPast {
  /** What this run has heard of the log. */
  readonly trail: Trail
  /** The log has changed under this run: what is in memory is worth nothing any more. */
  changed(error: AnotherPast): void
  /** Somebody has a reason to think so: it is looked up. */
  doubt(): void
  /** Something stored is of another past; whoever found it makes it again. */
  outdated(error: AnotherPast): void
  /** Since when the log is another one than this process once knew. */
  differsFrom(): bigint | undefined
}

export interface LogPast {
  /** A run begins; `onChanged` is called at most once, after the operator was told. */
  begin(onChanged: () => void): RunPast
}

/**
 * Tells the operator, in one line and one figure, that the log was put back from an older backup or replaced by another
 * one (decision 0033). Outlives the runs of the node that this ends.
 */
export function logPast(log: Pick<Log, 'readAll'>, logger: Logger): LogPast {
  let differsFrom: bigint | undefined
  /** The next run finds that what is stored is of the past that this one has told of. */
  let isTold = false

  const tell = ({ position, id }: Checkpoint): void => {
    differsFrom = position
    logger.error(
      { position: `${position}`, event: id },
      'another past: the log does not hold this event, which was known; it was put back from an older backup, or is ' +
        'another log. All that was made of it is made again, and clients are told how it stands now',
    )
  }

  return {
    begin(onChanged) {
      const trail = openTrail()
      let isOver = false
      let isOutdatedTold = isTold
      isTold = false

      const changed = async ({ at }: AnotherPast): Promise<void> => {
        if (isOver) return
        isOver = true
        isTold = true
        // The log has just answered; if it does not do so again, the last known event must do.
        tell((await trail.firstMissing(log).catch(() => null)) ?? at)
        onChanged()
      }

      const look = async (): Promise<boolean> => {
        // When the log does not answer the following finds out, as soon as it does.
        const missing = isOver ? null : await trail.firstMissing(log).catch(() => null)
        if (missing) await changed(new AnotherPast(missing))
        return isOver
      }

      return {
        trail,
        changed: (error) => void changed(error), // does not reject
        doubt: () => void look(), // does not reject
        outdated({ at }) {
          if (isOutdatedTold || isOver) return
          isOutdatedTold = true
          // Perhaps the log has changed just now, and the following has not heard of it.
          void look().then((hasChanged) => hasChanged || tell(at))
        },
        differsFrom: () => differsFrom,
      }
    },
  }
}

/** What is found to be of another past is made again, and what is damaged is told once: both in other words. */
export const errorsOf =
  (
    logger: Logger,
    metrics: { failed(where: string): void },
    past: RunPast,
    onDamaged: (damage: StreamDamaged) => void,
  ) =>
  (error: unknown, where: string): void => {
    if (error instanceof AnotherPast) {
      past.outdated(error)
      return
    }
    metrics.failed(where)
    const damage = damageIn(error)
    if (damage) onDamaged(damage)
    else if (error instanceof NotWritten) logger.error({ err: error.cause, where }, error.message)
    else logger.error({ err: error, where }, 'unexpected')
  }
