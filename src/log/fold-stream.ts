import type { Log, Recorded } from './log.ts'
import { inPortions } from './portions.ts'

export interface FoldStreamOptions {
  /** Revision of the last event that is folded; default: the stream's last. */
  readonly upTo?: number
}

/** What a stream's events come to; `last` is the last of them. */
export interface Folded<S> {
  readonly state: S
  readonly last: Recorded
}

/**
 * Folds one stream from its beginning. Undefined when it has no event, or none with the revision `upTo`. The log's
 * errors are passed on, and those of `fold`.
 */
export async function foldStream<S>(
  log: Log,
  stream: string,
  fold: (state: S | undefined, recorded: Recorded) => S | undefined,
  { upTo }: FoldStreamOptions = {},
): Promise<Folded<S> | undefined> {
  let state: S | undefined
  let last: Recorded | undefined
  for await (const batch of inPortions(log, stream, upTo === undefined ? {} : { limit: upTo + 1 })) {
    for (const recorded of batch) state = fold(state, recorded)
    last = batch.at(-1) ?? last
  }
  if (state === undefined || last === undefined || (upTo !== undefined && last.revision !== upTo)) return undefined
  return { state, last }
}
