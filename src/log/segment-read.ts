import { isAboutFile, type OpenFiles } from './open-files.ts'
import { type HeaderPlace, nameIn, placeAt, positionAt, recordAt } from './segment-format.ts'
import type { Spot } from './segment-index.ts'
import type { Segment } from './segments.ts'

/** What stands where an event should be: its text, or why there is none. */
export type FoundText = { readonly text: string } | LostText

export interface LostText {
  /** The end of a sentence that names the file. */
  readonly why: string
  /** Told by the record's header, where that is good. */
  readonly place?: HeaderPlace
  /** The stream, where the spoilt text still tells it. */
  readonly name?: string
}

/** Records that are so near to each other are read in one go, and so many bytes at most. */
const NEAR = 4_096
const MAX_READ = 262_144

/**
 * Reads the records at these spots, whose offsets grow, and checks each of them. Whatever the system says of the file
 * is no error, but a reason for which events cannot be had.
 */
export function readSpots(files: OpenFiles, segment: Segment, spots: readonly Spot[]): readonly FoundText[] {
  const found: FoundText[] = []
  for (let from = 0; from < spots.length; ) {
    const first = spots[from] as Spot // `from` is below the length
    if (first.offset === 0) {
      found.push({ why: `${segment.path} is damaged where it stood${at(segment, first)}` })
      from++
      continue
    }
    let to = from + 1
    let end = first.offset + first.length
    for (let next = spots[to]; next !== undefined; next = spots[++to]) {
      if (next.offset < end || next.offset > end + NEAR || next.offset + next.length - first.offset > MAX_READ) break
      end = next.offset + next.length
    }
    readTogether(files, segment, spots.slice(from, to), end, found)
    from = to
  }
  return found
}

function readTogether(
  files: OpenFiles,
  segment: Segment,
  spots: readonly Spot[],
  end: number,
  found: FoundText[],
): void {
  const start = spots[0]?.offset ?? 0
  const bytes = Buffer.allocUnsafe(end - start)
  let length = 0
  try {
    length = files.read(segment.path, bytes, bytes.length, start)
  } catch (error) {
    if (!isAboutFile(error)) throw error
    const { code, message } = error
    const why =
      code === 'ENOENT' ? `${segment.path}, which held it, is missing` : `${segment.path} cannot be read (${message})`
    for (const spot of spots) found.push({ why: `${why}${at(segment, spot)}` })
    return
  }
  for (const spot of spots) found.push(recordIn(bytes.subarray(0, length), spot.offset - start, spot, segment))
}

function recordIn(bytes: Buffer, from: number, spot: Spot, segment: Segment): FoundText {
  if (from + spot.length > bytes.length)
    return { why: `${segment.path} is cut off in front of its end${at(segment, spot)}` }
  const record = recordAt(bytes, from, from + spot.length)
  const isThere = !record?.isHeaderGood || positionAt(bytes, from) === segment.first + spot.ordinal
  if (record?.isWhole && isThere) return { text: bytes.toString('utf8', record.textFrom, record.end) }
  const why = `its record in ${segment.path}, at byte ${spot.offset}, does not match its checksum${at(segment, spot)}`
  if (!record?.isHeaderGood) return { why }
  const place = placeAt(bytes, from)
  const name = nameIn(bytes.toString('utf8', record.textFrom, record.end), place.hash)
  return name === undefined ? { why, place } : { why, place, name }
}

const at = ({ first }: Segment, { ordinal }: Spot): string => (ordinal < 0 ? '' : ` (position ${first + ordinal})`)
