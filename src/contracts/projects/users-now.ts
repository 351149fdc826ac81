import type { Party } from '../../../machines/kernel.ts'
import type { Member } from '../../../machines/project/events.ts'
import { type PersonRef, personName } from '../../../machines/stream.ts'
import { partyOf } from '../../gateway/auth/authenticator.ts'
import type { Identity } from '../../gateway/auth/tokens.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { UserOf } from './items.ts'
import { projectUser } from './people.ts'

/** People as they are called now. */
export interface UsersNow {
  of(org: string, members: readonly Member[]): Promise<UserOf>
  isVisitor(org: string, id: string): Promise<boolean>
  /** What their token says of them is recorded, as on connecting: others see it. */
  introduce(identity: Identity): Promise<void>
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
    async introduce(identity) {
      const by: Party = partyOf(identity)
      const { role, profile, profileAt } = identity
      // What is refused here (a disabled account) is refused by the token check, too.
      await entities.ask('person', personName(by), {
        type: 'Introduce',
        role,
        profile,
        issuedAt: profileAt,
        by,
        at: now(),
      })
    },
  }
}
