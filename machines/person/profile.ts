/**
 * What a person is called. Personal data: kept in marked fields only, and no decision may branch on its content. Keys
 * as in tokens.
 */
export interface Profile {
  readonly email?: string
  readonly name?: string
  readonly full_name?: string
  readonly display_name?: string
  readonly username?: string
  readonly first_name?: string
  readonly last_name?: string
}

/** Fields to set, or with null to remove; fields that are not named stay. */
export type ProfileChanges = { readonly [Field in keyof Profile]?: string | null }

export const PROFILE_FIELDS: readonly (keyof Profile)[] = [
  'email',
  'name',
  'full_name',
  'display_name',
  'username',
  'first_name',
  'last_name',
]

export const sameProfile = (one: Profile, other: Profile): boolean =>
  PROFILE_FIELDS.every((field) => one[field] === other[field])

export function changedProfile(profile: Profile, changes: ProfileChanges): Profile {
  const result: { -readonly [Field in keyof Profile]: Profile[Field] } = {}
  for (const field of PROFILE_FIELDS) {
    const change = changes[field]
    const value = change === undefined ? profile[field] : change
    if (value !== null && value !== undefined) result[field] = value
  }
  return result
}

/** The name that sentences use: `chat already claimed by <display name>`. Never empty. */
export const displayNameOf = (id: string, { display_name, username, ...rest }: Profile): string =>
  [display_name, fullNameOf(rest), username].find((name) => name?.trim()) ?? id

/** null when nothing says it. */
export function fullNameOf({ full_name, name, first_name, last_name }: Profile): string | null {
  const parts = [first_name, last_name].filter((part) => part !== undefined)
  return full_name ?? name ?? (parts.length > 0 ? parts.join(' ') : null)
}
