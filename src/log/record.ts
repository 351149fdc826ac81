import type { Codec, Encoded } from './codec.ts'
import type { Recorded } from './log.ts'
import { recordedAt } from './recorded.ts'

/** An event with its place, still encoded. */
export interface Row extends Encoded {
  readonly id: string
  readonly stream: string
  readonly revision: number
  readonly position: bigint
  readonly at: number
}

/**
 * The record's text in the file: one JSON object in a line, so that any tool can read a log. The stream stands first to
 * be found in a damaged one.
 */
export function recordText(row: Row): string {
  const { stream, revision, id, type, at, data, meta } = row
  const place = `"s":${JSON.stringify(stream)},"r":${revision},"i":"${id}","t":${JSON.stringify(type)},"a":${at}`
  return `{${place},"d":${data},"m":${meta}}\n`
}

interface StoredRecord {
  readonly s: string
  readonly r: number
  readonly i: string
  readonly t: string
  readonly a: number
  readonly d: unknown
  readonly m: unknown
}

/** Throws an error that names position and stream when the text is none that we write, or an upcast is missing. */
export function parseRecord(codec: Codec, position: number, text: string): Recorded {
  try {
    const { s, r, i, t, a, d, m } = JSON.parse(text) as StoredRecord
    const place = { id: i, stream: s, revision: r, position: BigInt(position), at: a }
    return recordedAt(codec, place, { type: t, data: d, meta: m })
  } catch (error) {
    const name = /^\{"s":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? 'unknown'
    throw new Error(`the event at position ${position} (stream ${name}) cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

export function decodeRow(codec: Codec, row: Row): Recorded {
  return recordedAt(codec, row, { type: row.type, data: JSON.parse(row.data), meta: JSON.parse(row.meta) })
}
