import type { Party } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Entities } from '../../runtime/entities.ts'
import { partyOf } from './authenticator.ts'
import type { Identity } from './tokens.ts'

/** What people's tokens say of them is recorded, as on connecting: others see it. */
export interface Introductions {
  /** Costs next to nothing for a token that says what the one before it said. */
  introduce(identity: Identity): Promise<void>
}

const MAX_KNOWN = 10_000

export function introductions({
  entities,
  now,
}: {
  readonly entities: Pick<Entities, 'ask'>
  readonly now: () => number
}): Introductions {
  /** By person, what was recorded through this node last. */
  const known = new Map<string, string>()
  return {
    async introduce(identity) {
      const by: Party = partyOf(identity)
      const { role, profile, profileAt } = identity
      const name = personName(by)
      const says = JSON.stringify([role, profile, profileAt])
      if (known.get(name) === says) return
      // What is refused here (a disabled account) is refused by the token check, too.
      await entities.ask('person', name, { type: 'Introduce', role, profile, issuedAt: profileAt, by, at: now() })
      known.set(name, says)
      keepNewest(known, MAX_KNOWN)
    },
  }
}
