import type { Recorded } from '../../machines/kernel.ts'
import { idIn, type PersonRef, personName, streamName } from '../../machines/stream.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { foldStream } from '../log/fold-stream.ts'
import type { Log } from '../log/log.ts'
import type { Change, Model, Profiles } from './feed.ts'

/**
 * The people whom notices of this node name: everybody who is online, and staff who were named once. Read from their
 * own streams when first needed and kept up to date by what this node hears, so that the cache needs no view and is
 * never behind the notice at hand.
 */
export class ProfileCache implements Model<Change<PersonRow>>, Profiles {
  readonly category = 'person'
  readonly #log: Log
  readonly #rows = new Map<string, PersonRow>()

  constructor(log: Log) {
    this.#log = log
  }

  has(person: PersonRef): boolean {
    return this.#rows.has(personName(person))
  }

  /** The person as known, undefined when they were not loaded or have never been recorded. */
  get(person: PersonRef): PersonRow | undefined {
    return this.#rows.get(personName(person))
  }

  /** Reads a person who is not here yet. */
  async fetch(person: PersonRef): Promise<PersonRow | undefined> {
    const name = personName(person)
    const known = this.#rows.get(name)
    if (known) return known
    const found = (await foldStream(this.#log, streamName(this.category, name), people.fold))?.state
    if (found) this.#rows.set(name, found)
    return found
  }

  forget(person: PersonRef): void {
    this.#rows.delete(personName(person))
  }

  /** How many people are in memory. */
  get size(): number {
    return this.#rows.size
  }

  /** Whoever is not here is nobody's news: they are read when they are first named. */
  isMissing(): boolean {
    return false
  }

  async load(): Promise<void> {}

  onEvent(recorded: Recorded): Change<PersonRow> | undefined {
    const key = idIn(this.category, recorded.stream)
    if (key === null) return undefined
    const before = this.#rows.get(key)
    if (before ? recorded.revision <= before.seq : recorded.revision > 0) return undefined
    const after = people.fold(before, recorded)
    if (after) this.#rows.set(key, after)
    return { key, recorded, before, after }
  }

  /** Starts empty: the follower fetches everybody who is online. */
  async seed(): Promise<bigint | null> {
    return null
  }
}
