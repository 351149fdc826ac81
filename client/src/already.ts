/** Of so many pushes it is remembered that they came; those that come again are of a moment ago. */
const REMEMBERED = 5_000

/** Which pushes have been applied: a push is known by its name and the event's id. */
export class Already {
  readonly #keys = new Set<string>()

  /** True when it was here before; from now on it was. */
  has(name: string, id: string): boolean {
    const key = `${name} ${id}`
    if (this.#keys.has(key)) return true
    this.#keys.add(key)
    if (this.#keys.size > REMEMBERED) for (const oldest of this.#keys) return !this.#keys.delete(oldest)
    return false
  }

  /** An opening state begins anew. */
  clear(): void {
    this.#keys.clear()
  }
}
