import type { RecordedCall } from './snapshots.ts'

/**
 * Which named calls an entity has already answered. Exact for the whole life of the entity, in memory only as far as it
 * was needed.
 */
export class CallRecord {
  #parsed = new Map<string, RecordedCall>()
  #unparsed: string

  constructor(text = '[]') {
    this.#unparsed = text
  }

  get(key: string): RecordedCall | undefined {
    this.#parse()
    return this.#parsed.get(key)
  }

  set(key: string, mark: RecordedCall): void {
    this.#parsed.set(key, mark)
  }

  toText(): string {
    this.#parse()
    return JSON.stringify([...this.#parsed])
  }

  #parse(): void {
    if (this.#unparsed === '[]') return
    const older = new Map(JSON.parse(this.#unparsed) as [string, RecordedCall][])
    for (const [key, mark] of this.#parsed) older.set(key, mark)
    this.#parsed = older
    this.#unparsed = '[]'
  }
}
