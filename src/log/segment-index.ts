/** Where the record of one event stands in its segment; `offset` 0 = nobody knows: it is lost. */
export interface Spot {
  /** Of the event within the segment: its position is that of the segment's first event, and this. */
  readonly ordinal: number
  readonly offset: number
  readonly length: number
}

/** The events of one stream in one segment: `count` of them, from revision `first` on. */
export interface StreamPart {
  readonly first: number
  readonly count: number
  /** `number` of them at most, from revision `first + nth` on. */
  spots(nth: number, number: number): readonly Spot[]
}

/** Whose an event is. */
export interface Owner {
  readonly hash: string
  readonly revision: number
}

/** What leads to the events of one segment. */
export interface SegmentIndex {
  /** How many events the segment has, lost ones included. */
  count(): number
  find(hash: string): StreamPart | undefined
  /** `number` events at most, from one on in the order of the log. */
  spots(ordinal: number, number: number): readonly Spot[]
  /** Undefined: it is lost, and nothing tells whose it was. May take long. */
  ownerOf(ordinal: number): Owner | undefined
}

/** One stream, as it grows. */
export interface Entry {
  readonly hash: string
  readonly first: number
  /** By revision, from `first` on; -1 = lost, and nobody knows where it stood. */
  readonly ordinals: number[]
}

/** The index of a segment that is being written, or whose file is being made. */
export class MemoryIndex implements SegmentIndex {
  readonly #streams = new Map<string, Entry>()
  readonly #owners: (Entry | undefined)[] = []
  readonly #revisions: number[] = []
  readonly #offsets: number[] = []
  readonly #lengths: number[] = []

  count(): number {
    return this.#offsets.length
  }

  /** The next event. `offset` 0: it is lost. False when it cannot be the stream's next one. */
  add(offset: number, length: number, owner: Owner | undefined): boolean {
    const entry = owner && this.#entryOf(owner)
    const expected = entry && entry.first + entry.ordinals.length
    const isNext = owner === undefined || expected === undefined || owner.revision >= expected
    if (entry && isNext) {
      // Those between are lost: where they stood is not known, whose they are is.
      while (entry.first + entry.ordinals.length < owner.revision) entry.ordinals.push(-1)
      entry.ordinals.push(this.#offsets.length)
    }
    this.#owners.push(isNext ? entry : undefined)
    this.#revisions.push(owner?.revision ?? -1)
    this.#offsets.push(offset)
    this.#lengths.push(length)
    return isNext
  }

  find(hash: string): StreamPart | undefined {
    const entry = this.#streams.get(hash)
    return (
      entry && {
        first: entry.first,
        count: entry.ordinals.length,
        spots: (nth, number) => entry.ordinals.slice(nth, nth + number).map((ordinal) => this.#spot(ordinal)),
      }
    )
  }

  spots(ordinal: number, number: number): readonly Spot[] {
    const spots: Spot[] = []
    const end = Math.min(ordinal + number, this.#offsets.length)
    for (let next = ordinal; next < end; next++) spots.push(this.#spot(next))
    return spots
  }

  ownerOf(ordinal: number): Owner | undefined {
    const entry = this.#owners[ordinal]
    return entry && { hash: entry.hash, revision: this.#revisions[ordinal] as number } // one for each that was added
  }

  entries(): IterableIterator<Entry> {
    return this.#streams.values()
  }

  streams(): number {
    return this.#streams.size
  }

  #entryOf({ hash, revision }: Owner): Entry {
    const known = this.#streams.get(hash)
    if (known) return known
    const entry: Entry = { hash, first: revision, ordinals: [] }
    this.#streams.set(hash, entry)
    return entry
  }

  #spot(ordinal: number): Spot {
    // Every ordinal that is handed out, or asked for, is of an event that was added.
    if (ordinal < 0) return { ordinal, offset: 0, length: 0 }
    return { ordinal, offset: this.#offsets[ordinal] as number, length: this.#lengths[ordinal] as number }
  }
}
