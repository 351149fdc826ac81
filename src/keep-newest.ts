/**
 * Bounds what is kept in memory: the entries that were put in first go first (a Map and a Set iterate in that order).
 */
export function keepNewest<K>(
  entries: { readonly size: number; keys(): Iterable<K>; delete(key: K): boolean },
  most: number,
): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= most) return
    entries.delete(oldest)
  }
}
