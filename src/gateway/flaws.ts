/** Structurally zod's error. */
export interface Flawed {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

/** An array of a thousand wrong items is not worth a thousand sentences. */
const MAX_FLAWS = 10

/**
 * What is wrong with data from a client, each flaw behind its place: `room: must be …; speed: Too big: …`. `where` is
 * the place of the data itself; without one, a flaw of the data as a whole stands behind `whole`, or alone.
 */
export function flawsIn({ issues }: Flawed, { where = '', whole = '' } = {}): string {
  const all = issues.slice(0, MAX_FLAWS).map(({ path, message }) => {
    const place =
      [where, ...path]
        .filter((part) => part !== '')
        .map(String)
        .join('.') || whole
    return place === '' ? message : `${place}: ${message}`
  })
  const told = [...new Set(all)] // one value may be wrong in two ways that are told alike
  if (issues.length > MAX_FLAWS) told.push(`and ${issues.length - MAX_FLAWS} more`)
  return told.join('; ')
}
