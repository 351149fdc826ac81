import type { Mark } from './snapshots.ts'

/**
 * Which named calls a room has already answered. Exact for the whole life of the room, in memory only as far as it was
 * needed.
 */
export class Marks {
  #parsed = new Map<string, Mark>()
  #unparsed: string

  constructor(text = '[]') {
    this.#unparsed = text
  }

  get(key: string): Mark | undefined {
    this.#parse()
    return this.#parsed.get(key)
  }

  set(key: string, mark: Mark): void {
    this.#parsed.set(key, mark)
  }

  toText(): string {
    this.#parse()
    return JSON.stringify([...this.#parsed])
  }

  #parse(): void {
    if (this.#unparsed === '[]') return
    const older = new Map(JSON.parse(this.#unparsed) as [string, Mark][])
    for (const [key, mark] of this.#parsed) older.set(key, mark)
    this.#parsed = older
    this.#unparsed = '[]'
  }
}
