import type { Event } from '../../machines/kernel.ts'
import type { Projection, Row } from '../../projections/projection.ts'
import type { Log, Recorded } from '../log/log.ts'
import { inPortions } from '../log/portions.ts'
import { PARTLY } from '../log/readable.ts'
import type { Change, Feed } from './feed.ts'
import type { Notice } from './notice.ts'
import { PastProfiles } from './past-profiles.ts'

/** As much of a feed as the past needs: no model, the log itself is folded. */
export interface PastFeed<R extends Row, E extends Event> extends Omit<Feed<Change<R, E>>, 'model' | 'pace'> {
  readonly projection: Projection<R>
}

/** One recorded event with what clients were told of it. */
export interface Step<R extends Row, E extends Event> {
  readonly recorded: Recorded<E>
  readonly after: R
  readonly notices: readonly Notice[]
}

/**
 * What was told of one stream's events, made again from the log by the same folds and the same notices as live, from
 * any position: `after` = the last one that is known already (default: none). People are named as they were called at
 * that moment of the log. Rejects with StreamDamaged and LogUnavailable.
 */
export async function* noticesOf<R extends Row, E extends Event>(
  log: Log,
  stream: string,
  feed: PastFeed<R, E>,
  after = -1n,
): AsyncGenerator<Step<R, E>> {
  const past = new PastProfiles((name) => log.read(name, PARTLY))
  let row: R | undefined
  for await (const batch of inPortions(log, stream, { isCertain: true })) {
    for (const recorded of batch as readonly Recorded<E>[]) {
      const change = {
        key: feed.projection.key(recorded) ?? '',
        recorded,
        before: row,
        after: feed.projection.fold(row, recorded),
      }
      row = change.after
      if (row === undefined || recorded.position <= after) continue
      for (const person of feed.people?.(change) ?? []) await past.fetch(person)
      yield { recorded, after: row, notices: feed.notices(change, past.at(recorded.position)) }
    }
  }
}
