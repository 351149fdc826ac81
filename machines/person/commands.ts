import type { Command, Role } from '../kernel.ts'
import type { AccountRole } from './events.ts'
import type { Profile, ProfileChanges } from './profile.ts'

export type PersonCommand = Command &
  (
    | {
        /** Asked by the person on every connection, with what the token says; `issuedAt` is its `iat` in seconds. */
        readonly type: 'Introduce'
        readonly role: Role
        readonly profile: Profile
        readonly issuedAt: number
      }
    | {
        /**
         * In the organisation of the asker. `id` and `login` are made of the e-mail, see `src/gateway/account-ids.ts`.
         */
        readonly type: 'OpenAccount'
        readonly id: string
        readonly role: AccountRole
        readonly login: string
        readonly profile: Profile
        readonly passwordHash: string
      }
    | { readonly type: 'ChangeProfile'; readonly changes: ProfileChanges }
    | { readonly type: 'ChangePassword'; readonly passwordHash: string }
    | {
        /** In the organisation of the asker; `id` is whose stream it is, which somebody unknown does not know. */
        readonly type: 'Disable'
        readonly id: string
      }
    | { readonly type: 'Enable' }
  )
