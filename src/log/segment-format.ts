import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * What stands in a segment, byte by byte (docs/decisions/0034-the-embedded-log-has-files-of-its-own.md). All numbers
 * are little-endian, and each header ends with the CRC-32 of what is before it.
 */
export const SEGMENT_HEADER = 32
export const FRAME_HEADER = 24
export const RECORD_HEADER = 56

const SEGMENT_MAGIC = 'LYSEG002'
const FRAME_MAGIC = Buffer.from('LYFR')
const RECORD_MAGIC = Buffer.from('LYRC')
const FRAME_NUMBER = FRAME_MAGIC.readUInt32LE()
const RECORD_NUMBER = RECORD_MAGIC.readUInt32LE()
/** Where the checksum of the text stands in a record's header. */
const TEXT_CRC = 8

/** By which a stream is found, in 8 characters. Two names with the same one are not to be expected. */
export const hashOf = (stream: string): string => hash('sha1', stream, 'binary').slice(0, 8)

/** Where an event stands and which one it is, as a record's header tells it beside the text. */
export interface HeaderPlace {
  readonly position: number
  readonly revision: number
  readonly hash: string
  readonly id: string
  readonly at: number
}

export function segmentHeader(first: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER)
  bytes.write(SEGMENT_MAGIC, 'latin1')
  bytes.writeUIntLE(first, 8, 6)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

export const isSegmentHeader = (bytes: Buffer, first: number): boolean =>
  bytes.length >= SEGMENT_HEADER && bytes.subarray(0, SEGMENT_HEADER).equals(segmentHeader(first))

export interface Frame {
  readonly bytes: Buffer
  /** Where the record of each row begins in it. */
  readonly starts: readonly number[]
  /** Of the stream of each row. */
  readonly hashes: readonly string[]
}

/** An event's place in the log. */
export interface Placed {
  readonly stream: string
  readonly revision: number
  readonly position: bigint
  readonly id: string
  readonly at: number
}

/** What one write puts into the file: a header, and the records. There is one text for each row, in a line. */
export function frameOf(rows: readonly Placed[], texts: readonly string[]): Frame {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  const length = sizes.reduce((sum, size) => sum + RECORD_HEADER + size, FRAME_HEADER)
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32LE(FRAME_NUMBER, 0)
  bytes.writeUInt32LE(length, 4)
  bytes.writeUIntLE(Number(rows[0]?.position ?? 0), 8, 6)
  bytes.writeUInt32LE(rows.length, 14)
  bytes.writeUInt16LE(0, 18)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
  const starts: number[] = []
  const hashes: string[] = []
  let at = FRAME_HEADER
  for (const [index, row] of rows.entries()) {
    const hashed = hashOf(row.stream)
    starts.push(at)
    hashes.push(hashed)
    // There is one text, and one size, for each row.
    at = putRecord(bytes, at, row, hashed, texts[index] as string, sizes[index] as number)
  }
  return { bytes, starts, hashes }
}

function putRecord(bytes: Buffer, at: number, row: Placed, hashed: string, text: string, size: number): number {
  const from = at + RECORD_HEADER
  bytes.write(text, from)
  bytes.writeUInt32LE(RECORD_NUMBER, at)
  bytes.writeUInt32LE(size, at + 4)
  bytes.writeUInt32LE(crc32(bytes.subarray(from, from + size)), at + TEXT_CRC)
  bytes.writeUIntLE(Number(row.position), at + 12, 6)
  bytes.writeUInt32LE(row.revision, at + 18)
  bytes.write(hashed, at + 22, 'latin1')
  bytes.write(row.id.replaceAll('-', ''), at + 30, 'hex')
  // Only for whoever has to do without the text, which has the exact one.
  bytes.writeUIntLE(Math.min(Math.max(0, Math.floor(row.at)), 2 ** 48 - 1), at + 46, 6)
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 52)), at + 52)
  return from + size
}

interface FrameHeader {
  readonly length: number
  readonly first: number
  readonly count: number
}

export function frameAt(bytes: Buffer, at: number): FrameHeader | undefined {
  if (at + FRAME_HEADER > bytes.length || bytes.readUInt32LE(at) !== FRAME_NUMBER) return undefined
  if (crc32(bytes.subarray(at, at + 20)) !== bytes.readUInt32LE(at + 20)) return undefined
  return { length: bytes.readUInt32LE(at + 4), first: bytes.readUIntLE(at + 8, 6), count: bytes.readUInt32LE(at + 14) }
}

/** Where the next good header of a frame stands, from `at` on; -1 = nowhere. */
export function nextFrame(bytes: Buffer, at: number): number {
  for (let next = bytes.indexOf(FRAME_MAGIC, at); next >= 0; next = bytes.indexOf(FRAME_MAGIC, next + 1))
    if (frameAt(bytes, next)) return next
  return -1
}

/** Where the next record may begin, from `at` on; -1 = nowhere. */
export const nextRecord = (bytes: Buffer, at: number): number => bytes.indexOf(RECORD_MAGIC, at)

/** What stands at some place of a segment. `isWhole`: the text is what was written. */
export interface FoundRecord {
  readonly isWhole: boolean
  /** False when the text is good and the header is not. */
  readonly isHeaderGood: boolean
  readonly textFrom: number
  /** Where the record ends; of one whose header is spoilt and whose text is, too, nothing is known. */
  readonly end: number
}

/** The record at `at`, which ends at `limit` at the latest; undefined: none can be told there. */
export function recordAt(bytes: Buffer, at: number, limit: number): FoundRecord | undefined {
  const textFrom = at + RECORD_HEADER
  if (textFrom > limit) return undefined
  const isHeaderGood =
    bytes.readUInt32LE(at) === RECORD_NUMBER && crc32(bytes.subarray(at, at + 52)) === bytes.readUInt32LE(at + 52)
  const end = textFrom + bytes.readUInt32LE(at + 4)
  const sum = end > limit ? undefined : crc32(bytes.subarray(textFrom, end))
  const told = bytes.readUInt32LE(at + TEXT_CRC)
  // Zeros have the right checksum, too.
  if (sum === told && (isHeaderGood || end > textFrom)) return { isWhole: true, isHeaderGood, textFrom, end }
  if (isHeaderGood) return { isWhole: false, isHeaderGood, textFrom, end: Math.min(end, limit) }
  if (sum !== undefined && isAllBut(bytes, at, sum)) return { isWhole: true, isHeaderGood, textFrom, end }
  // Perhaps it is the length that is not good.
  const next = nextRecord(bytes, textFrom)
  const until = next < 0 ? limit : Math.min(next, limit)
  if (until === textFrom || crc32(bytes.subarray(textFrom, until)) !== told) return undefined
  return { isWhole: true, isHeaderGood, textFrom, end: until }
}

/** The header is good but for the checksum of the text, which is this one. */
function isAllBut(bytes: Buffer, at: number, sum: number): boolean {
  const header = Buffer.from(bytes.subarray(at, at + RECORD_HEADER))
  header.writeUInt32LE(sum, TEXT_CRC)
  return crc32(header.subarray(0, 52)) === header.readUInt32LE(52)
}

export const revisionAt = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at + 18)
export const positionAt = (bytes: Buffer, at: number): number => bytes.readUIntLE(at + 12, 6)
export const hashAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at + 22, at + 30)

/** What a header tells that is good. */
export function placeAt(bytes: Buffer, at: number): HeaderPlace {
  const id = bytes.toString('hex', at + 30, at + 46)
  return {
    position: positionAt(bytes, at),
    revision: revisionAt(bytes, at),
    hash: hashAt(bytes, at),
    id: id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    at: bytes.readUIntLE(at + 46, 6),
  }
}

/** The name that a spoilt text begins with, if it is the one of this hash. */
export function nameIn(text: string, ofHash: string): string | undefined {
  const quoted = /^\{"s":("(?:[^"\\]|\\.)*")/.exec(text)?.[1]
  if (quoted === undefined) return undefined
  try {
    const name = JSON.parse(quoted) as string
    return hashOf(name) === ofHash ? name : undefined
  } catch {
    return undefined
  }
}
