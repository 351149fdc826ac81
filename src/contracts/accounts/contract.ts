import { idIn, isOf, personIn } from '../../../machines/stream.ts'
import { organisations } from '../../../projections/organisations.ts'
import { people } from '../../../projections/people.ts'
import type { Contract } from '../../delivery/contract.ts'
import { OUTDATED } from '../../gateway/auth/accounts.ts'
import { attempts } from '../../gateway/auth/attempts.ts'
import { numbers as openNumbers } from '../../runtime/numbers.ts'
import { openDemo } from './demo.ts'
import { authRoutes } from './http-login.ts'
import { organisationRoutes } from './http-organisation.ts'
import { userRoutes } from './http-users.ts'
import { peopleList } from './list.ts'
import { accountRefusals } from './refusals.ts'

/** Who has forgotten a password tries a few; whoever guesses has one guess a second in the end. */
const LOG_INS = { free: 5, firstMs: 125, mostMs: 1_000, waiting: 50 }

/** Accounts: who may log in, and what of a person the others see. */
export const accounts: Contract = {
  name: 'accounts',
  namespace: '/',
  views: [people, organisations],
  wire: {},
  refusals: accountRefusals,
  seed: openDemo,
  open(node) {
    const { entities, log, passwords, clock, authenticator, newPeople, outlet } = node
    const { sign } = authenticator
    const parts = { entities, passwords, now: clock.now, logins: attempts({ clock, ...LOG_INS }) }
    return {
      routes(app) {
        authRoutes(app, { ...parts, sign, authenticator, organisations: node.organisations, newPeople })
        organisationRoutes(app, parts)
        const numbers = openNumbers({ entities, log, now: clock.now })
        userRoutes(app, { ...parts, numbers, people: peopleList(node.views, node.upTo), opensAccounts: sign !== null })
      },
      policies: [
        {
          categories: ['person'],
          onEvent(recorded) {
            if (!isOf('person', recorded)) return
            const { org, id } = personIn(idIn('person', recorded.stream) ?? '')
            const { type } = recorded.event
            if (type === 'PersonDisabled') outlet.disconnectUser(org, id, 'this account is disabled')
            else if (type === 'PasswordChanged') outlet.hangUpUser(org, id, OUTDATED)
          },
        },
      ],
    }
  },
}
