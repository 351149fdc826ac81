import { fullNameOf, type Profile } from '../../../machines/person/profile.ts'
import type { Member } from '../../../machines/project/events.ts'

/** A user as document 002 spells it. Nothing of it is null: what nobody knows is made of what is known. */
export interface ProjectUser {
  readonly id: number
  readonly email: string
  readonly first_name: string
  readonly last_name: string
  readonly username: string
}

/** From the token or the account; else the e-mail's local part, the full name split at its last space, or the id. */
export function projectUser({ id, number }: Member, profile: Profile | undefined = {}): ProjectUser {
  const { email = '', username, first_name, last_name } = profile
  const [first, last] = splitName(first_name || last_name ? null : fullNameOf(profile), id)
  return {
    id: number,
    email,
    first_name: first_name ?? first,
    last_name: last_name ?? last,
    username: username?.trim() || email.split('@')[0] || id,
  }
}

function splitName(full: string | null, id: string): readonly [first: string, last: string] {
  if (full === null) return ['', '']
  const name = full.trim()
  const space = name.lastIndexOf(' ')
  if (space < 0) return [name || id, '']
  return [name.slice(0, space).trim(), name.slice(space + 1)]
}
