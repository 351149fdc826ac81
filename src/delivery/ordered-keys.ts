/** Half as many are moved at most when one comes or goes. */
const CHUNK = 512

/** Keys in their order, whichever come and go: to add one of 100,000 moves some hundred. */
export class OrderedKeys {
  /** None of them is empty. */
  readonly #chunks: string[][] = []

  add(key: string): void {
    const nth = Math.min(this.#chunkOf(key), this.#chunks.length - 1)
    const chunk = this.#chunks[nth]
    if (chunk === undefined) {
      this.#chunks.push([key])
      return
    }
    const at = firstNotBelow(chunk, key)
    if (chunk[at] === key) return
    chunk.splice(at, 0, key)
    if (chunk.length > CHUNK) this.#chunks.splice(nth + 1, 0, chunk.splice(CHUNK / 2))
  }

  delete(key: string): void {
    const nth = this.#chunkOf(key)
    const chunk = this.#chunks[nth]
    if (chunk === undefined) return
    const at = firstNotBelow(chunk, key)
    if (chunk[at] !== key) return
    chunk.splice(at, 1)
    if (chunk.length === 0) this.#chunks.splice(nth, 1)
  }

  /** Those behind `key`, in order. */
  *after(key: string): Generator<string> {
    for (let nth = this.#chunkOf(key), first = true; nth < this.#chunks.length; nth++, first = false) {
      const chunk = this.#chunks[nth] ?? []
      for (let at = first ? firstNotBelow(chunk, key) : 0; at < chunk.length; at++) {
        const one = chunk[at] as string // below the length
        if (one !== key) yield one
      }
    }
  }

  /** The first chunk whose last key is not below this one. */
  #chunkOf(key: string): number {
    let [low, high] = [0, this.#chunks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#chunks[middle]?.at(-1) ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

function firstNotBelow(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
