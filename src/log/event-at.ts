import { type Log, NoSuchPosition, type Recorded } from './log.ts'

/**
 * The event at exactly this position; undefined when there is none: it is of another log, of a part that this one has
 * lost, or of the future. Rejects like `readAll`.
 */
export async function eventAt(log: Pick<Log, 'readAll'>, position: bigint): Promise<Recorded | undefined> {
  try {
    for await (const [found] of log.readAll({ from: position, limit: 1 }))
      return found?.position === position ? found : undefined
  } catch (error) {
    if (!(error instanceof NoSuchPosition)) throw error
  }
  return undefined
}
