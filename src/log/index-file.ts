import { type Bloom, bloomOf } from './bloom.ts'
import { EVENT, headIn, type IndexHead, isGood, layoutOf, PAGE, ROOM, SPOT, STREAM } from './index-pages.ts'
import type { OpenFiles } from './open-files.ts'
import type { Owner, SegmentIndex, Spot, StreamPart } from './segment-index.ts'

/** A page of an index does not match its checksum, or is not there. */
export class IndexSpoilt extends Error {
  override readonly name = 'IndexSpoilt'
  readonly path: string
  constructor(path: string, page: number) {
    super(`page ${page} of ${path} does not match its checksum`)
    this.path = path
  }
}

/**
 * The index of a segment that is not written to any more. Every page is checked each time it is read; its methods throw
 * IndexSpoilt.
 */
export class FileIndex implements SegmentIndex {
  readonly head: IndexHead
  readonly #path: string
  readonly #files: OpenFiles
  readonly #bloom: Bloom
  readonly #layout: ReturnType<typeof layoutOf>
  readonly #page = Buffer.alloc(PAGE)

  /** Reads what is kept in memory of it. */
  constructor(path: string, files: OpenFiles) {
    this.#path = path
    this.#files = files
    const head = headIn(this.#read(0))
    if (!head) throw new IndexSpoilt(path, 0)
    this.head = head
    this.#layout = layoutOf(head)
    const bytes = Buffer.alloc(head.bloomBytes)
    for (let n = 0; n * ROOM < bytes.length; n++) this.#read(this.#layout.bloom + n).copy(bytes, n * ROOM, 0, ROOM)
    this.#bloom = bloomOf(bytes)
  }

  count(): number {
    return this.head.events
  }

  /** Hashes are spread evenly: its page is near where its value says, and the neighbours tell the way. */
  find(hash: string): StreamPart | undefined {
    if (this.head.streams === 0 || !this.#bloom.mayHave(hash)) return undefined
    const last = Math.ceil(this.head.streams / STREAM.inPage) - 1
    const share = (hash.charCodeAt(0) * 65_536 + hash.charCodeAt(1) * 256 + hash.charCodeAt(2)) / 2 ** 24
    let low = 0
    let high = last
    let number = Math.min(last, Math.floor(share * (last + 1)))
    for (;;) {
      const page = this.#read(this.#layout.streams + number)
      const count = Math.min(STREAM.inPage, this.head.streams - number * STREAM.inPage)
      if (hash < hashOfItem(page, 0)) high = number - 1
      else if (hash > hashOfItem(page, count - 1)) low = number + 1
      else return this.#partIn(page, count, hash)
      if (low > high) return undefined
      number = number < low ? low : number > high ? high : (low + high) >> 1
    }
  }

  spots(ordinal: number, number: number): readonly Spot[] {
    const spots: Spot[] = []
    const end = Math.min(ordinal + number, this.head.events)
    this.#items(this.#layout.byOrder, SPOT, ordinal, end, (page, at, nth) =>
      spots.push({ ordinal: nth, offset: page.readUInt32LE(at), length: page.readUInt32LE(at + 4) }),
    )
    return spots
  }

  /** Looks through the whole index. */
  ownerOf(ordinal: number): Owner | undefined {
    for (const { hash, first, start, count } of this.streams()) {
      let owner: Owner | undefined
      this.#items(this.#layout.byStream, EVENT, start, start + count, (page, at, nth) => {
        if (page.readUInt32LE(at) === ordinal) owner = { hash, revision: first + nth - start }
      })
      if (owner) return owner
    }
    return undefined
  }

  /** All streams, by their hashes. */
  *streams(): Generator<{
    readonly hash: string
    readonly first: number
    readonly start: number
    readonly count: number
  }> {
    for (let number = 0; number * STREAM.inPage < this.head.streams; number++) {
      const page = Buffer.from(this.#read(this.#layout.streams + number))
      const count = Math.min(STREAM.inPage, this.head.streams - number * STREAM.inPage)
      for (let nth = 0; nth < count; nth++) yield itemAt(page, nth)
    }
  }

  /** Reads and checks every page. */
  check(): void {
    for (let number = 0; number < this.#layout.pages; number++) this.#read(number)
  }

  #partIn(page: Buffer, count: number, hash: string): StreamPart | undefined {
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (hashOfItem(page, middle) < hash) low = middle + 1
      else high = middle
    }
    const item = itemAt(page, low)
    if (item.hash !== hash) return undefined
    return {
      first: item.first,
      count: item.count,
      spots: (nth, number) => {
        const spots: Spot[] = []
        const end = item.start + Math.min(nth + number, item.count)
        this.#items(this.#layout.byStream, EVENT, item.start + nth, end, (bytes, at) => {
          const ordinal = bytes.readUInt32LE(at)
          spots.push({
            ordinal: ordinal === NOWHERE ? -1 : ordinal,
            offset: bytes.readUInt32LE(at + 4),
            length: bytes.readUInt32LE(at + 8),
          })
        })
        return spots
      },
    }
  }

  #items(
    firstPage: number,
    { bytes, inPage }: { readonly bytes: number; readonly inPage: number },
    from: number,
    to: number,
    each: (page: Buffer, at: number, nth: number) => void,
  ): void {
    for (let nth = from; nth < to; ) {
      const page = this.#read(firstPage + Math.floor(nth / inPage))
      for (const end = Math.min(to, (Math.floor(nth / inPage) + 1) * inPage); nth < end; nth++)
        each(page, (nth % inPage) * bytes, nth)
    }
  }

  /** Good until the next page is read. */
  #read(number: number): Buffer {
    const read = this.#files.read(this.#path, this.#page, PAGE, number * PAGE)
    if (read < PAGE || !isGood(this.#page, number)) throw new IndexSpoilt(this.#path, number)
    return this.#page
  }
}

/** The ordinal of an event that is lost with its place. */
export const NOWHERE = 0xff_ff_ff_ff

const hashOfItem = (page: Buffer, nth: number): string =>
  page.toString('latin1', nth * STREAM.bytes, nth * STREAM.bytes + 8)

const itemAt = (page: Buffer, nth: number) => {
  const at = nth * STREAM.bytes
  return {
    hash: page.toString('latin1', at, at + 8),
    first: page.readUInt32LE(at + 8),
    count: page.readUInt32LE(at + 12),
    start: page.readUInt32LE(at + 16),
  }
}
