import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { AccountRole } from '../../../machines/person/events.ts'
import type { Person } from '../../../machines/person/machine.ts'
import type { Profile } from '../../../machines/person/profile.ts'
import { personName } from '../../../machines/stream.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { accountId, loginId, normalEmail } from './account-ids.ts'
import type { Passwords } from './passwords.ts'

export interface AccountParts {
  readonly entities: Pick<Entities, 'ask' | 'state' | 'remembered'>
  readonly passwords: Passwords
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface NewAccount {
  readonly email: string
  readonly password: string
  readonly role: AccountRole
  readonly profile: Omit<Profile, 'email'>
}

/** What the bearer of a token is told that is older than the last change of the password. */
export const OUTDATED = 'the password was changed since this token was issued: log in again'

/** How many organisations of one e-mail a login without `org_id` tries: each costs a password check. */
const MAX_TRIED = 5

/** The state of one person of the asker's organisation; null when there is none. */
export async function personOf(entities: Pick<Entities, 'state'>, org: string, id: string): Promise<Person | null> {
  const { state } = await entities.state('person', personName({ org, id }))
  return state.matches('unknown') ? null : state.context
}

/**
 * Opens an account in the organisation of `by`; gives its id. Refusals: `admin-only`, `account-exists`,
 * `client-id-reused`, and those of an overloaded server.
 */
export async function openAccount(
  parts: AccountParts,
  by: Party,
  account: NewAccount,
  call: Call = {},
): Promise<string | Refusal> {
  const { entities, passwords, now } = parts
  if (by.role !== 'admin' && by.role !== 'system') return refuse('admin-only') // before a hash is paid for
  const email = normalEmail(account.email)
  const id = accountId(by.org, email)
  const login = loginId(email)

  // First the login, then the account. A crash between the two leaves an entry that leads to nobody, which a login
  // skips and the next attempt completes; the other way round would leave an account that nobody can log in to, and
  // that cannot be opened again.
  const added = await entities.ask('login', login, { type: 'AddLogin', org: by.org, person: id, by, at: now() })
  if (added instanceof Refusal) return added

  const passwordHash = await passwords.hash(account.password, saltFrom(personName({ org: by.org, id }), call))
  if (passwordHash instanceof Refusal) return passwordHash
  const profile = { ...account.profile, email }
  const command = { type: 'OpenAccount', id, role: account.role, login, profile, passwordHash, by, at: now() } as const
  const opened = await entities.ask('person', personName({ org: by.org, id }), command, call)
  return opened instanceof Refusal ? opened : id
}

/**
 * Whoever changes their own password names the `current` one. Refusals: those of ChangePassword,
 * `current-password-required`, `bad-credentials`, and those of an overloaded server.
 */
export async function changePassword(
  { entities, passwords, now }: AccountParts,
  by: Party,
  id: string,
  { password, current }: { readonly password: string; readonly current?: string | undefined },
  call: Call = {},
): Promise<Refusal | null> {
  const person = await personOf(entities, by.org, id)
  if (person === null) return refuse('no-such-person')
  if (by.role !== 'admin' && by.id !== id) return refuse('admin-only') // before a hash is paid for
  const passwordHash = await passwords.hash(password, saltFrom(personName({ org: by.org, id }), call))
  if (passwordHash instanceof Refusal) return passwordHash
  // the same call again: the current password is the new one by now
  const repeated = passwordHash === person.passwordHash
  if (by.id === id && !repeated) {
    // A token that was left on a shared computer must not be enough to keep its owner out.
    if (current === undefined) return refuse('current-password-required')
    const right = await passwords.verify(person.passwordHash, current)
    if (right instanceof Refusal) return right
    if (!right) return refuse('bad-credentials')
  }
  const changed = await entities.ask(
    'person',
    personName({ org: by.org, id }),
    { type: 'ChangePassword', passwordHash, by, at: now() },
    call,
  )
  return changed instanceof Refusal ? changed : null
}

/**
 * The one enabled account that e-mail and password open. Refusals: `bad-credentials` for everything that is wrong,
 * alike; `organisation-required` when the password is right in several organisations. The time taken does not tell
 * whether an e-mail has an account; that one has several does cost more time when `org` is not given.
 */
export async function logIn(
  { entities, passwords }: AccountParts,
  { email, password, org }: { readonly email: string; readonly password: string; readonly org?: string | undefined },
): Promise<Person | Refusal> {
  const tried = org === undefined ? await accountsOf(entities, email) : [{ org, person: accountId(org, email) }]
  const found: Person[] = []
  for (const { org, person: id } of tried.length > 0 ? tried : [{ org: null, person: '' }]) {
    const person = org === null ? null : await personOf(entities, org, id)
    const right = await passwords.verify(person?.passwordHash ?? null, password)
    if (right instanceof Refusal) return right
    if (right && person && !person.disabled) found.push(person)
  }
  const [only, other] = found
  if (other) return refuse('organisation-required')
  return only ?? refuse('bad-credentials')
}

async function accountsOf(entities: Pick<Entities, 'state'>, email: string) {
  const { state } = await entities.state('login', loginId(email))
  return state.context.accounts.slice(0, MAX_TRIED)
}

/**
 * A call that the client named gives the same hash when it is repeated, so that the log sees the same command again.
 */
const saltFrom = (person: string, { clientId }: Call): string | undefined =>
  clientId === undefined ? undefined : `${person}\n${clientId}`
