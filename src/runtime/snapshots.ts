import { hash } from 'node:crypto'

/**
 * Where entities keep what they were, so that waking a long one does not read its whole past. Losing any of it costs
 * only time.
 */
export interface SnapshotStore {
  load(stream: string): string | undefined
  save(stream: string, text: string): void
}

/** The answer that a named call (`client_id`) got: digest of its payload, revision and position of its first event. */
export type RecordedCall = readonly [digest: string, seq: number, position: string]

/**
 * An entity at one revision. `eventId` is the id of the event there: a log that was put back from a backup is noticed
 * by it.
 */
export interface Snapshot {
  readonly revision: number
  readonly eventId: string
  /** Time of that event. */
  readonly at: number
  readonly state: unknown
  /** JSON text of `[key, mark][]`, parsed only when a named call arrives. */
  readonly marks: string
}

/** `<digest of the rest>\n<definition hash>\n<json>\n<marks json>`. */
export function encodeSnapshot(snapshot: Snapshot, definition: string): string {
  const { revision, eventId, at, state, marks } = snapshot
  const rest = `${definition}\n${JSON.stringify({ revision, eventId, at, state })}\n${marks}`
  return `${hash('sha1', rest)}\n${rest}`
}

/** Undefined for anything but an intact snapshot of this very machine definition. */
export function decodeSnapshot(text: string, definition: string): Snapshot | undefined {
  const end = text.indexOf('\n')
  const rest = text.slice(end + 1)
  if (end < 0 || hash('sha1', rest) !== text.slice(0, end)) return undefined
  const [theirs, body, marks] = rest.split('\n')
  if (theirs !== definition || body === undefined || marks === undefined) return undefined
  // Those of older releases do not tell the time.
  return { at: 0, ...(JSON.parse(body) as Omit<Snapshot, 'marks' | 'at'>), marks }
}

export function memorySnapshots(): SnapshotStore {
  const texts = new Map<string, string>()
  return { load: (stream) => texts.get(stream), save: (stream, text) => void texts.set(stream, text) }
}
