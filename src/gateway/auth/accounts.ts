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

/** How many organisations of one e-mail a login without `org_id` tries: each costs a look, all together one hash. */
const MAX_TRIED = 256

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

  const passwordHash = await passwords.hash(account.password, saltFrom(email), by.org)
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
  // A token that was left on a shared computer must not be enough to keep its owner out.
  if (by.id === id && current === undefined) return refuse('current-password-required')
  const from = personName({ org: by.org, id })
  const passwordHash = await passwords.hash(password, saltFrom(person.profile.email ?? from), from)
  if (passwordHash instanceof Refusal) return passwordHash
  // the same call again: the current password is the new one by now
  const repeated = call.clientId !== undefined && passwordHash === person.passwordHash
  if (by.id === id && current !== undefined && !repeated) {
    const right = await passwords.verify(person.passwordHash, current, from)
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

export interface LogInTry {
  readonly email: string
  readonly password: string
  readonly org?: string | undefined
  /** The address it comes from: a flood from one keeps no other waiting. */
  readonly from: string
}

/**
 * The one enabled account that e-mail and password open. Refusals: `bad-credentials` for everything that is wrong,
 * alike; `organisation-required` when the password is right in several organisations; `overloaded`. Neither the answer
 * nor its time tells whether an e-mail has an account, or how many: accounts of one e-mail have one salt, so that one
 * hash is compared with all of them. (Older ones have their own, and cost one each.)
 */
export async function logIn(
  { entities, passwords }: AccountParts,
  { email, password, org, from }: LogInTry,
): Promise<Person | Refusal> {
  const tried = org === undefined ? await accountsOf(entities, email) : [{ org, person: accountId(org, email) }]
  const people = await Promise.all(tried.map(({ org, person }) => personOf(entities, org, person)))
  const hashes = people.map((person) => person?.passwordHash ?? null)
  const opened = await passwords.opens(hashes, password, saltFrom(email), from)
  if (opened instanceof Refusal) return opened
  const found = people.flatMap((person, i) => (person && opened[i] && !person.disabled ? [person] : []))
  const [only, other] = found
  if (other) return refuse('organisation-required')
  return only ?? refuse('bad-credentials')
}

async function accountsOf(entities: Pick<Entities, 'state'>, email: string) {
  const { state } = await entities.state('login', loginId(email))
  return state.context.accounts.slice(0, MAX_TRIED)
}

/**
 * What the salt of a password is made of. One for all accounts of an e-mail, so that a log-in without `org_id` costs
 * one hash, and a repeated call gives the same hash again: the log sees the same command.
 */
const saltFrom = (email: string): string => `password of ${normalEmail(email)}`
