/**
 * Stands where an organisation stands for people who came without a token: they belong to none. No token can name it,
 * because ids have no colon, so nothing of an organisation is ever theirs.
 */
export const ANONYMOUS = ':anonymous'

export const isAnonymous = ({ org }: { readonly org: string }): boolean => org === ANONYMOUS
