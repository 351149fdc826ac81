import { type Party, refuse } from '../../../machines/kernel.ts'
import { type AccountParts, personOf } from '../../gateway/auth/accounts.ts'
import type { Numbers } from '../../runtime/numbers.ts'
import type { PersonFacts } from '../shared/people.ts'
import { userResource } from './http-shapes.ts'

export const USERS = '/api/v1/users'

export interface UserNowParts {
  readonly entities: Pick<AccountParts['entities'], 'state'>
  readonly numbers: Pick<Numbers, 'of'>
}

/** A user with their number. */
export async function numbered(
  { numbers }: Pick<UserNowParts, 'numbers'>,
  org: string,
  id: string,
  person: PersonFacts,
) {
  return userResource(org, id, person, person.role === 'visitor' ? 0 : await numbers.of({ org, id }))
}

/** A user of the asker's organisation, as clients see them. */
export async function userNow(parts: UserNowParts, { org }: Party, id: string) {
  const person = await personOf(parts.entities, org, id)
  return person === null ? refuse('no-such-person') : numbered(parts, org, id, person)
}
