import { type PersonRow, people } from '../../../projections/people.ts'
import { VIEW_WAIT_MS, type Views } from '../../gateway/http/pages.ts'
import type { PersonFacts } from '../shared/people.ts'

/** The people of one organisation but its visitors, by id, from the view `people` (its list `users/<org>/<id>`). */
export interface PeopleList {
  /** Those with an id greater than `after`. `next` is the last id here when there is more. */
  list(org: string, page: { readonly limit: number; readonly after?: string | undefined }): Promise<PeoplePage>
}

export interface PeoplePage {
  readonly people: readonly (PersonFacts & { readonly id: string })[]
  readonly next?: string
}

/** Lists people from the live view. `upTo` tells the position that it has to show first. */
export function peopleList(views: Views, upTo: () => bigint): PeopleList {
  return {
    async list(org, { limit, after }) {
      await views.reached(people.name, upTo(), VIEW_WAIT_MS)
      const prefix = `users/${org}/`
      const from = after === undefined ? prefix : `${prefix}${after}!` // "!" sorts before every character of an id
      const { entries } = await views.scan(people.name, { from, to: `${prefix}~`, limit: limit + 1 })
      // what the view folded; parked rows stand in no list
      const rows = entries.map(({ row }) => row as unknown as PersonRow)
      const last = rows[limit - 1]
      return entries.length > limit && last ? { people: rows.slice(0, limit), next: last.id } : { people: rows }
    },
  }
}
