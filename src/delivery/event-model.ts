import type { Category, EventOf } from '../../machines/catalogue.ts'
import type { Recorded } from '../../machines/kernel.ts'
import { isOf } from '../../machines/stream.ts'
import { lastOf } from '../log/last-of.ts'
import type { Foreseeing } from './feed.ts'

/** A model of entities whose events say everything that is told of them: nothing is kept in memory. */
export function eventModel<K extends Category>(category: K): Foreseeing<Recorded<EventOf<K>>> {
  const changeOf = (recorded: Recorded) => (isOf(category, recorded) ? recorded : undefined)
  return {
    category,
    isMissing: () => false,
    load: async () => {},
    changeOf,
    onEvent: changeOf,
    seed: async (_store, log) => (await lastOf(log)) ?? null,
  }
}
