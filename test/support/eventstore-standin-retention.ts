import type { Kept } from './eventstore-standin-store.ts'

/** The newest metadata of a stream, as far as it hides events. */
interface Retention {
  readonly $maxCount?: number
  /** Seconds. */
  readonly $maxAge?: number
  readonly $tb?: number
}

/** `$tb` of a stream that was deleted: the largest 64-bit number, which JSON rounds. */
export const DELETED = '{"$tb":9223372036854775807}'

/** Where the metadata of a stream stands. */
export const metastreamOf = (stream: string): string => `$$${stream}`

/** `metastream`: everything that is kept of it. */
export function retentionOf(metastream: readonly Kept[]): Retention {
  const last = metastream.at(-1)
  return last?.type === '$metadata' ? (JSON.parse(Buffer.from(last.data).toString()) as Retention) : {}
}

export const isSoftDeleted = ({ $tb = 0 }: Retention): boolean => $tb > Number.MAX_SAFE_INTEGER

/** What reads of a stream show at this moment; `$all` shows the others until a scavenge. */
export function visibleOf(name: string, kept: readonly Kept[], retention: Retention, nowMs: number): readonly Kept[] {
  // Of metadata the newest alone counts.
  const { $maxCount, $maxAge, $tb = 0 }: Retention = name.startsWith('$$') ? { $maxCount: 1 } : retention
  const last = kept.at(-1)?.revision ?? -1
  const from = Math.max($tb, $maxCount === undefined ? 0 : last + 1 - $maxCount)
  const since = $maxAge === undefined ? Number.NEGATIVE_INFINITY : nowMs - $maxAge * 1000
  return kept.filter(({ revision, createdMs }) => revision >= from && createdMs >= since)
}

/** What a rewrite of the metadata says when somebody writes to a deleted stream again: older events stay hidden. */
export const reopened = (retention: Retention, revision: number): string =>
  JSON.stringify({ ...retention, $tb: revision })
