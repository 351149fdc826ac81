import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Owner, SegmentIndex } from './segment-index.ts'

/**
 * Beside the segment that is being written: whose each of its events is. It is written behind and never waited for; it
 * says what stood where the segment was cut or overwritten, so that no stream only looks shorter. Whatever it does not
 * say, the segment itself says as long as it is whole.
 */
export interface NotedOwners {
  /** The next events of the segment. */
  add(owners: readonly Owner[]): void
  close(): Promise<void>
}

/** What could be read of the notes. `spoiltAt`: from that byte on they do not match their checksums. */
export interface Notes {
  /** By ordinal; undefined = lost when the notes were made anew. */
  readonly owners: readonly (Owner | undefined)[]
  readonly spoiltAt: number | undefined
}

const MAGIC = 0x59_4b_59_4c
const HEAD = 20
const EACH = 12
/** Notes are gathered for so long, and up to so many. */
const BEHIND_MS = 500
const MAX_GATHERED = 4_096

/** `first`: position of the segment's first event. */
export function readNotes(path: string, first: number): Notes {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return { owners: [], spoiltAt: undefined } // there are none: all that they say can be had of the segment
  }
  const owners: (Owner | undefined)[] = []
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const end = at + HEAD + bytes.readUInt32LE(at + 4) * EACH
    if (bytes.readUInt32LE(at) !== MAGIC) return { owners, spoiltAt: at }
    if (end > bytes.length) break // the process ended in the midst of it
    const isNext = bytes.readUIntLE(at + 8, 6) === first + owners.length
    if (!isNext || sumOf(bytes.subarray(at, end)) !== bytes.readUInt32LE(at + 16)) return { owners, spoiltAt: at }
    for (let next = at + HEAD; next < end; next += EACH) {
      const hash = bytes.toString('latin1', next, next + 8)
      owners.push(hash === NOBODY.hash ? undefined : { hash, revision: bytes.readUInt32LE(next + 8) })
    }
    at = end
  }
  return { owners, spoiltAt: undefined }
}

/** Begins the notes of a segment anew, with what is known of it. */
export async function openNotes(path: string, first: number, index: SegmentIndex): Promise<NotedOwners> {
  const file = await open(path, 'w')
  let gathered: Owner[] = []
  let next = first
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<unknown> = Promise.resolve()

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (gathered.length === 0) return
    const bytes = batchOf(next, gathered)
    next += gathered.length
    gathered = []
    // A disk that is full or broken says so to whoever writes the segment.
    writing = writing.then(() => append(file, bytes)).catch(() => {})
  }

  const add = (owners: readonly Owner[]): void => {
    for (const owner of owners) gathered.push(owner)
    if (gathered.length >= MAX_GATHERED) flush()
    else timer ??= setTimeout(flush, BEHIND_MS)
  }

  for (let ordinal = 0; ordinal < index.count(); ordinal++) add([index.ownerOf(ordinal) ?? NOBODY])
  return {
    add,
    async close() {
      flush()
      await writing
      await file.close()
    },
  }
}

/** Whose an event is that is lost with its owner. */
const NOBODY: Owner = { hash: '\0\0\0\0\0\0\0\0', revision: 0 }

const append = (file: FileHandle, bytes: Buffer): Promise<unknown> => file.appendFile(bytes)

function batchOf(first: number, owners: readonly Owner[]): Buffer {
  const bytes = Buffer.alloc(HEAD + owners.length * EACH)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(owners.length, 4)
  bytes.writeUIntLE(first, 8, 6)
  for (const [nth, { hash, revision }] of owners.entries()) {
    bytes.write(hash, HEAD + nth * EACH, 'latin1')
    bytes.writeUInt32LE(revision, HEAD + nth * EACH + 8)
  }
  bytes.writeUInt32LE(sumOf(bytes), 16)
  return bytes
}

const sumOf = (batch: Buffer): number => crc32(batch.subarray(HEAD), crc32(batch.subarray(0, 16)))
