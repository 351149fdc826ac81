import { type Party, refuse } from '../../../machines/kernel.ts'
import { type AccountParts, personOf } from '../../gateway/auth/accounts.ts'
import { userResource } from './http-shapes.ts'

export const USERS = '/api/v1/users'

/** A user of the asker's organisation, as clients see them. */
export async function userNow(entities: Pick<AccountParts['entities'], 'state'>, { org }: Party, id: string) {
  const person = await personOf(entities, org, id)
  return person === null ? refuse('no-such-person') : userResource(org, id, person)
}
