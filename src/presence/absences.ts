/**
 * Remembers who was found without a lease, because one look is not enough: a lease may be missing for a moment (an
 * emptied Redis).
 */
export interface Absences {
  /**
   * Takes note of one look at these people (`counts` = live leases of each, in the same order, at `now`); gives those
   * who have now been without one at every look for `minMs` at least. Who is not among `people` is forgotten.
   */
  look(people: readonly string[], counts: readonly number[], now: number): string[]
  /** Nothing could be seen: the next look is a first one. */
  forget(): void
}

/** @param minMs milliseconds between the first and the deciding look */
export function absences(minMs: number): Absences {
  let since = new Map<string, number>()

  return {
    look(people, counts, now) {
      const absent = people.filter((_, i) => counts[i] === 0)
      since = new Map(absent.map((person) => [person, since.get(person) ?? now]))
      return absent.filter((person) => now - (since.get(person) ?? now) >= minMs)
    },
    forget() {
      since.clear()
    },
  }
}
