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
