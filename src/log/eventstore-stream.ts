import { deleted, foreign, hidden, type StreamDamaged } from './damaged.ts'
import type { FromStored, StoredEvent } from './eventstore-event.ts'
import { PAGE, type Span } from './eventstore-pages.ts'
import { LogUnavailable, type Recorded, type StreamOptions } from './log.ts'

export interface StreamSource {
  /** Null: there is no such stream. Rejects with StreamDamaged when it was tombstoned. */
  page(stream: string, span: Span<bigint>): Promise<readonly StoredEvent[] | null>
  fromStored: FromStored
  /** Nobody but us may write there: whatever is missing, or is another's, is damage. */
  isOwn(stream: string): boolean
}

/** One stream in batches. What is read forwards of an own stream is whole, or it is told what is missing. */
export async function* readStream(
  source: StreamSource,
  stream: string,
  { from, backwards = false, limit = Number.POSITIVE_INFINITY, isCertain = false, onDamage }: StreamOptions = {},
): AsyncGenerator<readonly Recorded[]> {
  if (backwards && from !== undefined && from < 0) return
  const isChecked = !backwards && source.isOwn(stream)
  const report = (damage: StreamDamaged): void => {
    if (!onDamage) throw damage
    onDamage(damage)
  }
  const first = Math.max(0, from ?? 0)
  let expected = first
  let next: bigint | 'start' | 'end' = from === undefined ? (backwards ? 'end' : 'start') : BigInt(first)
  for (let left = limit; left > 0; ) {
    const count = Math.min(PAGE, left)
    const stored: readonly StoredEvent[] | null = await source.page(stream, { from: next, backwards, count })
    // What had an event once, and is not there any more, was deleted as well.
    if (isChecked && stored === null && (isCertain || expected > 0) && (await metadataOf(source, stream)).isDeleted)
      report(deleted(stream))
    if (isChecked && stored?.length === 0 && expected === 0)
      report(hidden(stream, 0, (await metadataOf(source, stream)).text))
    if (stored === null) return
    let batch: Recorded[] = []
    for (const one of stored) {
      const revision = Number(one.revision)
      const recorded = source.fromStored(one)
      const damage = isChecked && (revision > expected ? 'hidden' : recorded === null ? 'foreign' : null)
      if (damage) {
        if (batch.length > 0) yield batch
        batch = []
      }
      if (damage === 'hidden') report(hidden(stream, expected, (await metadataOf(source, stream)).text))
      if (isChecked && recorded === null) report(foreign(stream, revision, one.type))
      if (recorded !== null) batch.push(recorded)
      if (recorded !== null) left--
      expected = revision + 1
    }
    if (batch.length > 0) yield batch
    const last = stored.at(-1)
    if (last === undefined || stored.length < count || (backwards && last.revision === 0n)) return
    next = last.revision + (backwards ? -1n : 1n)
  }
}

/** `$tb` of a stream that was deleted is the largest 64-bit number, which JSON rounds. */
const MAX_TRUNCATE_BEFORE = Number.MAX_SAFE_INTEGER

/** What the metadata of a stream hides of it. */
async function metadataOf({ page }: StreamSource, stream: string): Promise<{ text: string; isDeleted: boolean }> {
  const newest = page(`$$${stream}`, { from: 'end', backwards: true, count: 1 })
  const stored = await newest.catch((error: unknown) => {
    if (error instanceof LogUnavailable) throw error
    return null // not for our user's eyes
  })
  const data = (stored?.[0]?.data ?? {}) as Readonly<Record<string, unknown>> // of any shape: looked into with care
  const hiding = ['$maxCount', '$maxAge', '$tb'].filter((key) => data[key] !== undefined && data[key] !== null)
  return {
    text: hiding.map((key) => `${key} ${data[key]}`).join(', ') || 'which says nothing of it now',
    isDeleted: Number(data.$tb) > MAX_TRUNCATE_BEFORE,
  }
}
