import { isOf, personIn } from '../../machines/stream.ts'
import { type OnlineRow, online } from '../../projections/online.ts'
import type { Log } from '../log/log.ts'
import { LiveModel } from './live-model.ts'

/** The list of those who are online in one organisation. */
export const onlineIn = (org: string): string => `online ${org}`

/** Who is online, or in their grace, by `<org>.<id>`. */
export const onlineModel = (log: Log): LiveModel<OnlineRow> =>
  new LiveModel(log, {
    category: 'presence',
    projection: online,
    keeps: () => true,
    lists: (person) => [onlineIn(personIn(person).org)],
    seeds: ['online/'],
    // Without a row only a beginning tells something: the rest belongs to a presence that was over when rows were put
    // in.
    begins: (recorded) => isOf('presence', recorded) && recorded.event.type === 'CameOnline',
    unknown: 'ignore',
  })
