import type { Codec } from './codec.ts'
import { type StreamDamaged, spoilt } from './damaged.ts'
import type { Recorded } from './log.ts'
import type { LogNotes } from './log-notes.ts'
import { parseRecord } from './record.ts'
import { unreadableAt } from './recorded.ts'
import { hashOf } from './segment-format.ts'
import type { SegmentIndex, Spot, StreamPart } from './segment-index.ts'
import { type FoundText, type LostText, readSpots } from './segment-read.ts'
import type { Segment, Segments } from './segments.ts'

export interface StreamScan {
  /** Inclusive, either way. */
  readonly from: number
  readonly backwards: boolean
  readonly limit: number
  /** No event behind this position. */
  readonly upTo: number
  /** Told of what cannot be had, which is passed over. Default: what is before it is given, and then it is thrown. */
  onDamage?(damage: StreamDamaged): void
}

export interface SegmentReader {
  /** Revision of the stream's last event, -1 = no stream. */
  lastRevision(stream: string): number
  /**
   * Events from position `from` on to `to`, both inclusive (backwards: `to <= from`): `limit` at most, none only when
   * there are no more, and no more in one go than takes some milliseconds. Of what is spoilt the place is given, where
   * it is known; what is lost is passed over. Both are told.
   */
  scan(from: number, to: number, backwards: boolean, limit: number): Recorded[]
  /**
   * Events of a stream from a revision on: `limit` at most, none only when there are no more. `isCut`: there may be
   * more, which in one go would take too long. Throws StreamDamaged.
   */
  scanStream(stream: string, scan: StreamScan): { readonly events: Recorded[]; readonly isCut: boolean }
}

/** One stream's part of one segment. */
interface Found {
  readonly segment: Segment
  readonly part: StreamPart
}

/** Records are read so many at a time where it is not known how many are wanted. */
const AT_ONCE = 512
/** So many bytes of them are read in one go, and one record at least: to decode them takes some milliseconds. */
const PORTION_BYTES = 64 * 1024

/** What of these is one go; `backwards`: their end. */
function portionOf(spots: readonly Spot[], backwards: boolean): readonly Spot[] {
  let bytes = 0
  let count = 0
  for (; count < spots.length; count++) {
    bytes += spots[backwards ? spots.length - 1 - count : count]?.length ?? 0
    if (count > 0 && bytes > PORTION_BYTES) break
  }
  return backwards ? spots.slice(spots.length - count) : spots.slice(0, count)
}

export function segmentReader(segments: Segments, codec: Codec, { onDamage, note }: LogNotes): SegmentReader {
  const { list, files, lookUp } = segments

  /** From the newest segment to the oldest, until one has the stream's beginning. */
  function* partsOf(hash: string): Generator<Found> {
    for (let nth = list.length - 1; nth >= 0; nth--) {
      const segment = list[nth] as Segment // `nth` is below the length
      const part = lookUp(segment, (index) => index.find(hash))
      if (!part) continue
      yield { segment, part }
      if (part.first === 0) return
    }
  }

  /** Again by the segment's index, which may have been made anew since the part was found. */
  const spotsOf = ({ segment, part }: Found, hash: string, nth: number, number: number): readonly Spot[] => {
    let isFirst = true
    return lookUp(segment, (index) => {
      const its = isFirst ? part : index.find(hash)
      isFirst = false
      return its?.spots(nth, number) ?? []
    })
  }

  /** Of streams of which something is lost: it is asked for each event. */
  const names = new Map<string, string | undefined>()
  const nameFor = (hash: string): string | undefined => {
    if (!names.has(hash)) names.set(hash, nameOf(hash))
    return names.get(hash)
  }

  const nameOf = (hash: string): string | undefined => {
    for (const found of partsOf(hash))
      for (const text of readSpots(files, found.segment, spotsOf(found, hash, 0, 16)))
        if ('text' in text) return (JSON.parse(text.text) as { readonly s: string }).s
    return undefined
  }

  const segmentAt = (position: number): Segment | undefined => {
    let [low, high] = [0, list.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((list[middle] as Segment).first <= position) low = middle
      else high = middle - 1
    }
    return list[low]
  }

  /** The place of what is spoilt, if it is known whose it is and which one; both ways it is told. */
  const lost = (segment: Segment, ordinal: number, { why, place, name }: LostText): Recorded | undefined => {
    const position = segment.first + ordinal
    const owner = place ?? lookUp(segment, (index: SegmentIndex) => index.ownerOf(ordinal))
    if (!owner) {
      note('error', `the event at position ${position} is lost, and nothing tells whose it was: ${why}`)
      return undefined
    }
    const stream = name ?? nameFor(owner.hash)
    const damage = spoilt(stream ?? `a stream whose name is lost (${hexOf(owner.hash)})`, owner.revision, why)
    onDamage(damage)
    if (!place || stream === undefined) return undefined
    return unreadableAt({ ...place, stream, position: BigInt(position) }, why, damage)
  }

  const recordedAt = (segment: Segment, { ordinal }: Spot, found: FoundText): Recorded | undefined =>
    'text' in found ? parseRecord(codec, segment.first + ordinal, found.text) : lost(segment, ordinal, found)

  return {
    lastRevision(stream) {
      for (const { part } of partsOf(hashOf(stream))) return part.first + part.count - 1
      return -1
    },

    scan(from, to, backwards, limit) {
      const events: Recorded[] = []
      for (let next = from; events.length < limit && (backwards ? next >= to : next <= to); ) {
        const segment = segmentAt(next)
        const count = segment?.index.count() ?? 0
        if (!segment || next >= segment.first + count) return events
        const wanted = Math.min(AT_ONCE, limit - events.length)
        const low = backwards ? Math.max(to, segment.first, next - wanted + 1) : next
        const high = backwards ? next : Math.min(to, segment.first + count - 1, next + wanted - 1)
        const wantedSpots = lookUp(segment, (index) => index.spots(low - segment.first, high - low + 1))
        const spots = portionOf(wantedSpots, backwards)
        const texts = readSpots(files, segment, spots)
        const order = backwards ? [...spots.keys()].reverse() : spots.keys()
        for (const nth of order) {
          // There is one text for each spot.
          const one = recordedAt(segment, spots[nth] as Spot, texts[nth] as FoundText)
          if (one) events.push(one)
        }
        if (spots.length < wantedSpots.length && events.length > 0) return events
        next = backwards ? next - spots.length : low + spots.length
      }
      return events
    },

    scanStream(stream, scan) {
      const hash = hashOf(stream)
      const events: Recorded[] = []
      let isCut = false
      /** False: no further. */
      const damaged = (revision: number, why: string): boolean => {
        const damage = spoilt(stream, revision, why)
        onDamage(damage)
        if (scan.onDamage) scan.onDamage(damage)
        else if (events.length === 0) throw damage
        return scan.onDamage !== undefined
      }
      const take = (found: Found, nth: number, number: number): boolean => {
        const { segment, part } = found
        const [low, high] = scan.backwards ? [nth - number + 1, nth] : [nth, nth + number - 1]
        const wanted = spotsOf(found, hash, low, high - low + 1)
        const spots = portionOf(wanted, scan.backwards)
        const skipped = scan.backwards ? wanted.length - spots.length : 0
        const texts = readSpots(files, segment, spots)
        for (const index of scan.backwards ? [...spots.keys()].reverse() : spots.keys()) {
          const { ordinal } = spots[index] as Spot // `index` is one of theirs
          const text = texts[index] as FoundText
          const revision = part.first + low + skipped + index
          if (segment.first + ordinal > scan.upTo) {
            if (scan.backwards) continue
            return false
          }
          if (!('text' in text)) {
            if (!damaged(revision, text.why)) return false
            continue
          }
          const recorded = parseRecord(codec, segment.first + ordinal, text.text)
          if (recorded.stream !== stream || recorded.revision !== revision) {
            const which = `event ${recorded.revision} of ${recorded.stream}`
            if (!damaged(revision, `the index of ${segment.path} leads to ${which} (position ${recorded.position})`))
              return false
            continue
          }
          events.push(recorded)
          if (events.length >= scan.limit) return false
        }
        isCut = spots.length < wanted.length
        return !isCut
      }
      walk(partsOf(hash), scan, take, damaged)
      return { events, isCut }
    },
  }
}

const hexOf = (hash: string): string => Buffer.from(hash, 'latin1').toString('hex')

type Take = (found: Found, nth: number, number: number) => boolean

/** Goes through the parts of a stream, some events at a time, and sees that none is left out between them. */
function walk(
  parts: Iterable<Found>,
  { from, backwards, limit }: StreamScan,
  take: Take,
  damaged: (revision: number, why: string) => boolean,
): void {
  const step = Math.min(AT_ONCE, limit)
  const missing = (low: number, high: number): string =>
    `${low === high ? `event ${low} is` : `events ${low} to ${high} are`} in no file of the log`
  if (backwards) {
    let above: number | undefined
    for (const found of parts) {
      const { first, count } = found.part
      const next = first + count
      if (above !== undefined && next < above && above <= from && !damaged(above - 1, missing(next, above - 1))) return
      above = first
      for (let nth = Math.min(from - first, count - 1); nth >= 0; nth -= step)
        if (!take(found, nth, Math.min(step, nth + 1))) return
    }
    if (above !== undefined && above > 0 && above <= from) damaged(above - 1, missing(0, above - 1))
    return
  }
  const needed: Found[] = []
  for (const found of parts) {
    needed.unshift(found)
    if (found.part.first <= from) break
  }
  let next = from
  for (const found of needed) {
    const { first, count } = found.part
    if (first > next && !damaged(next, missing(next, first - 1))) return
    for (let nth = Math.max(0, next - first); nth < count; nth += step)
      if (!take(found, nth, Math.min(step, count - nth))) return
    next = first + count
  }
}
