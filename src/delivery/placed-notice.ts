import type { Recorded } from '../../machines/kernel.ts'
import { ALL_NOTICES, posOf } from './cursor.ts'
import type { Notice } from './notice.ts'

/** A notice with its place among all that is told: the `number`th (from 1) of its event's `count` notices. */
export interface PlacedNotice<N extends Notice = Notice> {
  readonly notice: N
  readonly recorded: Pick<Recorded, 'id' | 'position'>
  readonly number: number
  readonly count: number
}

/** Notices of one event, of which `before` come before them, and all are `count`. */
export const placedNotices = <N extends Notice>(
  recorded: PlacedNotice['recorded'],
  notices: readonly N[],
  before = 0,
  count = notices.length,
): readonly PlacedNotice<N>[] =>
  notices.map((notice, index) => ({ notice, recorded, number: before + index + 1, count }))

/** The cursor of whoever has been told everything up to and with this notice. */
export const cursorAfter = ({ recorded, number, count }: PlacedNotice): string =>
  posOf(recorded, number === count ? ALL_NOTICES : number)

/** The cursor of whoever has been told everything before it. */
export const cursorBefore = ({ recorded, number }: PlacedNotice): string => posOf(recorded, number - 1)
