/** Lists of ids, in their order: each list is a value, and is asked for many times before there is another one. */
const sorted = new WeakMap<readonly string[], readonly string[]>()

/** The same ids in their order. */
export function inOrder(ids: readonly string[]): readonly string[] {
  const known = sorted.get(ids) ?? [...ids].sort()
  sorted.set(ids, known)
  return known
}

/** A page of ids that are in their order, after the id `after`. */
export function pageOfIds(
  ids: readonly string[],
  { limit, after = '' }: { readonly limit: number; readonly after?: string | undefined },
): { readonly ids: readonly string[]; readonly next: string | undefined } {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] as string) <= after) low = middle + 1
    else high = middle
  }
  const page = ids.slice(low, low + limit)
  return { ids: page, next: low + limit < ids.length ? page.at(-1) : undefined }
}
