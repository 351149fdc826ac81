/**
 * Things by their id, in buckets by a hash of it: one more of 5,000 copies some 20 entries and 256 references, not
 * 5,000 entries. Lists and not objects by id, because ids come from outside and one of them may be `__proto__`. Plain
 * JSON.
 */
export type Buckets<T> = readonly (readonly T[])[]

const BUCKETS = 256

/** What is done with buckets of things that say their id like this. */
export const byId = <T>(idOf: (one: T) => string) => ({
  none: NONE as Buckets<T>,

  get: (all: Buckets<T>, id: string): T | undefined => all[bucketOf(id)]?.find((one) => idOf(one) === id),

  /** All of them with this one, in place of the one that had its id before. */
  with(all: Buckets<T>, one: T): Buckets<T> {
    const id = idOf(one)
    const nth = bucketOf(id)
    const others = all[nth]?.filter((other) => idOf(other) !== id) ?? []
    return all.with(nth, [...others, one])
  },

  count: (all: Buckets<T>): number => all.reduce((sum, bucket) => sum + bucket.length, 0),
})

const NONE: Buckets<never> = Array.from({ length: BUCKETS }, () => [])

/** FNV-1a; whoever chooses ids that all fall into one bucket makes that one long, which only costs time. */
function bucketOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1)
}
