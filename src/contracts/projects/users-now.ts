import type { Member } from '../../../machines/project/events.ts'
import { type PersonRef, personName } from '../../../machines/stream.ts'
import { type Introductions, introductions } from '../../gateway/auth/introductions.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { UserOf } from './items.ts'
import { projectUser } from './people.ts'

/** People as they are called now. */
export interface UsersNow extends Introductions {
  of(org: string, members: readonly Member[]): Promise<UserOf>
  isVisitor(org: string, id: string): Promise<boolean>
}

export interface UsersNowParts {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly now: () => number
}

export function usersNow({ entities, now }: UsersNowParts): UsersNow {
  const person = async (ref: PersonRef) => (await entities.state('person', personName(ref))).state
  return {
    async of(org, members) {
      const profiles = await Promise.all(members.map(({ id }) => person({ org, id })))
      const users = new Map(members.map((member, n) => [member.id, projectUser(member, profiles[n]?.context.profile)]))
      return (member) => users.get(member.id) ?? projectUser(member, undefined)
    },
    async isVisitor(org, id) {
      const found = await person({ org, id })
      return !found.matches('unknown') && found.context.role === 'visitor'
    },
    introduce: introductions({ entities, now }).introduce,
  }
}
