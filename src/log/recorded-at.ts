import type { Log, Recorded } from './log.ts'

/** The event with this revision of a stream; undefined when it has none. Rejects like `read`. */
export async function recordedAt(
  log: Pick<Log, 'read'>,
  stream: string,
  revision: number,
): Promise<Recorded | undefined> {
  for await (const [found] of log.read(stream, { from: revision, limit: 1 })) return found
  return undefined
}
