import type { Recorded } from '../../machines/kernel.ts'
import { PERSON_STREAM, type PersonRow, people } from '../../projections/people.ts'
import type { Log } from '../log/log.ts'

/**
 * The people whom pushes of this node name: everybody who is online, and staff who were named once. Read from their own
 * streams when first needed, kept up to date by what this node hears, so that it needs no view and is never behind the
 * push at hand.
 */
export class ProfileCache {
  readonly #log: Log
  readonly #rows = new Map<string, PersonRow>()

  constructor(log: Log) {
    this.#log = log
  }

  has(org: string, id: string): boolean {
    return this.#rows.has(`${org}.${id}`)
  }

  /** The person as known, undefined when they were not loaded or have never been recorded. */
  get(org: string, id: string): PersonRow | undefined {
    return this.#rows.get(`${org}.${id}`)
  }

  async load(org: string, id: string): Promise<PersonRow | undefined> {
    const name = `${org}.${id}`
    let row = this.#rows.get(name)
    if (row) return row
    for await (const batch of this.#log.read(PERSON_STREAM + name))
      for (const recorded of batch) row = people.fold(row, recorded)
    if (row) this.#rows.set(name, row)
    return row
  }

  /** Learns from a person's event; before and after are the same when it tells nothing new. */
  hear(recorded: Recorded): { readonly before: PersonRow | undefined; readonly after: PersonRow | undefined } {
    const name = recorded.stream.slice(PERSON_STREAM.length)
    const before = this.#rows.get(name)
    if (before ? recorded.revision <= before.seq : recorded.revision > 0) return { before, after: before }
    const after = people.fold(before, recorded)
    if (after) this.#rows.set(name, after)
    return { before, after }
  }

  forget(org: string, id: string): void {
    this.#rows.delete(`${org}.${id}`)
  }
}
