import type { Codec } from './codec.ts'
import type { Recorded } from './log.ts'
import { decodeRow, type Row } from './record.ts'

const MAX_EVENTS = 2_048
const MAX_CHARACTERS = 16 * 1_024 * 1_024
/** So many are decoded in one go. */
const PORTION_CHARACTERS = 256 * 1_024

/**
 * The newest events, in memory. Followers that keep up are served from here; each event is decoded once, for all of
 * them.
 */
export interface Tail {
  /** Rows in the order of their positions, without gaps. */
  push(rows: readonly Row[]): void
  /**
   * Events with `after < position <= upTo`, at most `limit`, one at least when there is one, and no more in one go than
   * takes some milliseconds; undefined when the first of them has already left the tail.
   */
  slice(after: bigint, upTo: bigint, limit: number): readonly Recorded[] | undefined
}

interface Slot {
  readonly row: Row
  decoded: Recorded | undefined
}

/** Bounded by number and by size, whichever is reached first. Positions must grow by exactly one per row. */
export function openTail(codec: Codec): Tail {
  let slots: Slot[] = []
  // Slots before `first` have left; they are cut off when they are half of all, so that leaving costs next to nothing
  // per event.
  let first = 0
  let characters = 0

  const decodedAt = (index: number): Recorded => {
    // The caller stays between `first` and the end.
    const slot = slots[index]!
    slot.decoded ??= decodeRow(codec, slot.row)
    return slot.decoded
  }

  return {
    push(rows) {
      for (const row of rows) {
        slots.push({ row, decoded: undefined })
        characters += size(row)
      }
      while (slots.length - first > MAX_EVENTS || (characters > MAX_CHARACTERS && slots.length - first > 1)) {
        characters -= size(slots[first]!.row)
        first += 1
      }
      if (first * 2 < slots.length) return
      slots = slots.slice(first)
      first = 0
    },

    slice(after, upTo, limit) {
      const oldest = slots[first]?.row.position
      if (oldest === undefined || after + 1n < oldest) return undefined
      const from = first + Number(after + 1n - oldest)
      const to = Math.min(first + Number(upTo - oldest) + 1, slots.length, from + limit)
      const found: Recorded[] = []
      let fresh = 0
      for (let index = from; index < to && fresh < PORTION_CHARACTERS; index++) {
        const { row, decoded } = slots[index]!
        if (decoded === undefined) fresh += size(row)
        found.push(decodedAt(index))
      }
      return found
    },
  }
}

const size = (row: Row): number => row.data.length + row.meta.length
