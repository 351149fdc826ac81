import type { Role } from '../../machines/kernel.ts'
import { isOf, personIn } from '../../machines/stream.ts'
import { type OnlineRow, online } from '../../projections/online.ts'
import type { Log } from '../log/log.ts'
import { LiveModel } from './live-model.ts'

/** The list of those who are online in one organisation. */
export const onlineIn = (org: string): string => `online ${org}`

/** Those of them who are no visitors, or who have this role, in the order of their ids. */
export const peopleIn = (org: string, role?: Role): string => `people ${org}${role === undefined ? '' : ` ${role}`}`

/** Everybody whose connection is lost and may come back, of all organisations. */
export const LOST = 'lost'

/** Who is online, or in their grace, by `<org>.<id>`. */
export const onlineModel = (log: Log): LiveModel<OnlineRow> =>
  new LiveModel(log, {
    category: 'presence',
    projection: online,
    keeps: () => true,
    lists(person, { role, state }) {
      const { org } = personIn(person)
      const people = role === 'visitor' ? [] : [peopleIn(org), peopleIn(org, role)]
      return [onlineIn(org), ...people, ...(state === 'lost' ? [LOST] : [])]
    },
    isOrdered: (list) => list.startsWith('people '),
    isListedAlike: (before, after) => before.role === after.role && before.state === after.state,
    seeds: ['online/'],
    // Without a row only a beginning tells something: the rest belongs to a presence that was over when rows were put
    // in.
    begins: (recorded) => isOf('presence', recorded) && recorded.event.type === 'CameOnline',
    unknown: 'ignore',
  })
