import type { Log, Recorded } from './log.ts'

/** The last event of the whole log, undefined when it is empty. Rejects like `readAll`. */
export async function lastOf(log: Pick<Log, 'readAll'>): Promise<Recorded | undefined> {
  for await (const [last] of log.readAll({ backwards: true, limit: 1 })) return last
  return undefined
}
