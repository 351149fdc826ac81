import type { Member } from '../../../machines/project/events.ts'
import { type PersonRef, personName } from '../../../machines/stream.ts'
import { type Introductions, introductions } from '../../gateway/auth/introductions.ts'
import type { Entities } from '../../runtime/entities.ts'
import { slice } from '../../slices.ts'
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

/** Of a thousand members many may be asleep: each is read. */
const AT_ONCE = 8

export function usersNow({ entities, now }: UsersNowParts): UsersNow {
  const person = async (ref: PersonRef) => (await entities.state('person', personName(ref))).state
  return {
    async of(org, members) {
      const users = new Map<string, ReturnType<typeof projectUser>>()
      for (let n = 0; n < members.length; n += AT_ONCE) {
        const some = members.slice(n, n + AT_ONCE)
        const profiles = await Promise.all(some.map(({ id }) => person({ org, id })))
        for (const [nth, member] of some.entries())
          users.set(member.id, projectUser(member, profiles[nth]?.context.profile))
        await slice()
      }
      return (member) => users.get(member.id) ?? projectUser(member, undefined)
    },
    async isVisitor(org, id) {
      const found = await person({ org, id })
      return !found.matches('unknown') && found.context.role === 'visitor'
    },
    introduce: introductions({ entities, now }).introduce,
  }
}
