import { isStaff, type Recorded } from '../../machines/kernel.ts'
import { idIn, type PersonRef, personName, streamName } from '../../machines/stream.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { keepNewest } from '../keep-newest.ts'
import { foldStream } from '../log/fold-stream.ts'
import type { Log } from '../log/log.ts'
import type { Change, Foreseeing, Profiles } from './feed.ts'

/**
 * Of those who are neither online nor staff the newest: who was named in passing, or has an account and never came.
 * More than any notice names.
 */
const MAX_OTHERS = 10_000

/**
 * The people whom notices of this node name: everybody who is online, staff who were named once, and some others. Read
 * from their own streams when first needed and kept up to date by what this node hears, so that the cache needs no view
 * and is never behind the notice at hand.
 */
export class ProfileCache implements Foreseeing<Change<PersonRow>>, Profiles {
  readonly category = 'person'
  readonly #log: Log
  /** Online, or staff. */
  readonly #rows = new Map<string, PersonRow>()
  readonly #others = new Map<string, PersonRow>()
  readonly #reading = new Map<string, Promise<PersonRow | undefined>>()
  /** Of those who are being read: whoever an event was heard of. */
  readonly #heard = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Asked of whoever is about to be named. */
  has(person: PersonRef): boolean {
    const name = personName(person)
    if (this.#rows.has(name)) return true
    const other = this.#others.get(name)
    if (other && isStaff(other.role)) this.#keep(name, other)
    return other !== undefined
  }

  /** The person as known, undefined when they were not loaded or have never been recorded. */
  get(person: PersonRef): PersonRow | undefined {
    return this.#known(personName(person))
  }

  /** Reads a person who is not here yet. */
  async fetch(person: PersonRef): Promise<PersonRow | undefined> {
    const name = personName(person)
    const known = this.#known(name)
    if (known) return known
    const reading = this.#reading.get(name) ?? this.#read(name)
    this.#reading.set(name, reading)
    return reading
  }

  /** Again from the beginning when the person was heard of meanwhile: the event may not have been in what was read. */
  async #read(name: string): Promise<PersonRow | undefined> {
    try {
      for (;;) {
        this.#heard.delete(name)
        const found = (await foldStream(this.#log, streamName(this.category, name), people.fold))?.state
        if (this.#heard.has(name)) continue
        if (found && isStaff(found.role)) this.#keep(name, found)
        else if (found) this.#putOther(name, found)
        return found
      }
    } finally {
      this.#reading.delete(name)
      this.#heard.delete(name)
    }
  }

  /** They are online: they stay until `forget`. */
  keep(person: PersonRef): void {
    const name = personName(person)
    const other = this.#others.get(name)
    if (other) this.#keep(name, other)
  }

  forget(person: PersonRef): void {
    const name = personName(person)
    this.#rows.delete(name)
    this.#others.delete(name)
  }

  /** How many people are in memory. */
  get size(): number {
    return this.#rows.size + this.#others.size
  }

  /** Whoever is not here is nobody's news: they are read when they are first named. */
  isMissing(): boolean {
    return false
  }

  async load(): Promise<void> {}

  changeOf(recorded: Recorded): Change<PersonRow> | undefined {
    const key = idIn(this.category, recorded.stream)
    if (key === null) return undefined
    const before = this.#known(key)
    if (before ? recorded.revision <= before.seq : recorded.revision > 0) return undefined
    return { key, recorded, before, after: people.fold(before, recorded) }
  }

  onEvent(recorded: Recorded): Change<PersonRow> | undefined {
    const name = idIn(this.category, recorded.stream)
    if (name !== null && this.#reading.has(name)) this.#heard.add(name)
    const change = this.changeOf(recorded)
    if (!change?.after) return change
    if (this.#rows.has(change.key)) this.#rows.set(change.key, change.after)
    else this.#putOther(change.key, change.after)
    return change
  }

  /** Starts empty: the follower fetches everybody who is online. */
  async seed(): Promise<null> {
    return null
  }

  #known(name: string): PersonRow | undefined {
    return this.#rows.get(name) ?? this.#others.get(name)
  }

  #keep(name: string, row: PersonRow): void {
    this.#rows.set(name, row)
    this.#others.delete(name)
  }

  #putOther(name: string, row: PersonRow): void {
    this.#others.delete(name)
    this.#others.set(name, row)
    keepNewest(this.#others, MAX_OTHERS)
  }
}
