import { crc32 } from 'node:zlib'

/**
 * The file of an index: pages of 4 KiB, each with the checksum of its number and of what it holds. The first one tells
 * the rest.
 */
export const PAGE = 4_096
/** What a page holds beside its checksum. */
export const ROOM = PAGE - 4
/** Bytes of one item, and how many of them a page has. */
export const STREAM = { bytes: 28, inPage: Math.floor(ROOM / 28) }
export const EVENT = { bytes: 12, inPage: Math.floor(ROOM / 12) }
export const SPOT = { bytes: 8, inPage: Math.floor(ROOM / 8) }

const MAGIC = 'LYIDX002'

/** What the first page says. */
export interface IndexHead {
  /** Position of the segment's first event. */
  readonly first: number
  readonly events: number
  readonly streams: number
  /** Events of all streams, by stream: lost ones of which nobody knows whose they were are not among them. */
  readonly owned: number
  readonly segmentBytes: number
  readonly bloomBytes: number
}

/** The first page of each part, and how many pages there are. */
export function layoutOf({ streams, owned, events, bloomBytes }: IndexHead) {
  const byStream = 1 + Math.ceil(streams / STREAM.inPage)
  const byOrder = byStream + Math.ceil(owned / EVENT.inPage)
  const bloom = byOrder + Math.ceil(events / SPOT.inPage)
  return { streams: 1, byStream, byOrder, bloom, pages: bloom + Math.ceil(bloomBytes / ROOM) }
}

export function headPage(head: IndexHead): Buffer {
  const page = Buffer.alloc(PAGE)
  page.write(MAGIC, 'latin1')
  page.writeUIntLE(head.first, 8, 6)
  page.writeUIntLE(head.segmentBytes, 14, 6)
  page.writeUInt32LE(head.events, 20)
  page.writeUInt32LE(head.streams, 24)
  page.writeUInt32LE(head.owned, 28)
  page.writeUInt32LE(head.bloomBytes, 32)
  seal(page, 0)
  return page
}

/** Undefined: it is not the first page of an index. */
export function headIn(page: Buffer): IndexHead | undefined {
  if (!isGood(page, 0) || page.toString('latin1', 0, 8) !== MAGIC) return undefined
  return {
    first: page.readUIntLE(8, 6),
    segmentBytes: page.readUIntLE(14, 6),
    events: page.readUInt32LE(20),
    streams: page.readUInt32LE(24),
    owned: page.readUInt32LE(28),
    bloomBytes: page.readUInt32LE(32),
  }
}

/** Puts the checksum into a page that is full. */
export function seal(page: Buffer, number: number): void {
  page.writeUInt32LE(crc32(page.subarray(0, ROOM), number), ROOM)
}

export const isGood = (page: Buffer, number: number): boolean =>
  page.length === PAGE && crc32(page.subarray(0, ROOM), number) === page.readUInt32LE(ROOM)
