import type { Recorded } from '../../machines/kernel.ts'
import type { Projection, Row } from '../../projections/projection.ts'
import type { Change, Json } from './store.ts'

/**
 * What stands in place of a row that could not be folded: later events of this row are passed over until the view is
 * rebuilt.
 */
export interface Parked extends Row {
  readonly parked: true
  readonly error: string
}

/** A row as the store has it, with the index entries that it stands in. */
export interface Held {
  readonly row: Row | undefined
  readonly index: readonly string[]
}

/**
 * An event together with the row that it changes; `error` when `key` could not name one, the row is then parked under
 * the stream's name.
 */
export interface Touch {
  readonly key: string
  readonly recorded: Recorded
  readonly error?: string
}

/** A row that was parked just now, and the event that did it. */
export interface Poison {
  readonly key: string
  readonly stream: string
  readonly seq: number
  readonly position: bigint
  readonly error: string
}

export interface Folded {
  readonly held: ReadonlyMap<string, Held>
  readonly changes: readonly Change[]
  readonly poisons: readonly Poison[]
}

export const PARKED = 'parked/'
const STORABLE = /^[ -~]{1,512}$/

export const isParked = (row: unknown): row is Parked =>
  typeof row === 'object' && row !== null && 'parked' in row && row.parked === true

/** The events of a batch that are this view's business, in order. */
export function touchesOf(projection: Projection, batch: readonly Recorded[]): readonly Touch[] {
  const touches: Touch[] = []
  for (const recorded of batch) {
    try {
      const key = projection.key(recorded)
      if (key === null) continue
      touches.push(
        STORABLE.test(key) ? { key, recorded } : { key: streamKey(recorded), recorded, error: unstorable('key', key) },
      )
    } catch (error) {
      touches.push({ key: streamKey(recorded), recorded, error: `key: ${messageOf(error)}` })
    }
  }
  return touches
}

/** A row just read from the store, with the index entries that it must stand in. */
export function heldOf(projection: Projection, key: string, row: Row | undefined): Held {
  return { row, index: row === undefined ? [] : indexOf(projection, key, row) }
}

/**
 * Folds touches over the rows that they need (all of them must be in `held`). Never throws: what cannot be folded is
 * parked. `index` is asked only of the last row of a batch, so an `index` that throws for a passing state is not always
 * found. With `checkJson` every new row is tried as JSON.
 */
export function foldTouches(
  projection: Projection,
  held: ReadonlyMap<string, Held>,
  touches: readonly Touch[],
  checkJson = false,
): Folded {
  const rows = new Map<string, Row | undefined>()
  const poisons = new Map<string, Poison>()
  const park = (key: string, recorded: Recorded, error: string) => {
    poisons.set(key, { key, stream: recorded.stream, seq: recorded.revision, position: recorded.position, error })
    const row: Parked = { parked: true, seq: recorded.revision, error }
    rows.set(key, row)
  }
  const step = (touch: Touch) => {
    const { key, recorded } = touch
    const before = rows.has(key) ? rows.get(key) : held.get(key)?.row
    if (isParked(before) || (before !== undefined && recorded.revision <= before.seq)) return
    try {
      rows.set(key, next(projection, before, touch))
    } catch (error) {
      park(key, recorded, messageOf(error))
    }
  }
  const settle = (key: string): Held => {
    const row = rows.get(key)
    if (checkJson) JSON.stringify(row)
    return heldOf(projection, key, row)
  }

  for (const touch of touches) step(touch)
  const after = new Map<string, Held>()
  for (const key of [...rows.keys()]) {
    try {
      after.set(key, settle(key))
    } catch {
      // Once more, event by event, so that the row is parked at the first one that spoils it, however events were
      // grouped.
      rows.delete(key)
      for (const touch of touches) {
        if (touch.key !== key) continue
        step(touch)
        try {
          if (rows.has(key)) settle(key)
        } catch (error) {
          park(key, touch.recorded, messageOf(error))
        }
      }
      after.set(key, settle(key))
    }
  }
  const changes = [...after].map(([key, now]) => changeOf(key, held.get(key)?.index ?? [], now))
  return { held: after, changes, poisons: [...poisons.values()] }
}

function next(projection: Projection, before: Row | undefined, { recorded, error }: Touch): Row | undefined {
  if (error !== undefined) throw new Error(error)
  if (before !== undefined && recorded.revision !== before.seq + 1) {
    throw new Error(
      `${recorded.stream} came with revision ${recorded.revision} after ${before.seq}: ` +
        "key() must name the row for every event of its stream, and for no other stream's",
    )
  }
  const row = projection.fold(before, recorded)
  if (row !== undefined && row.seq !== recorded.revision) {
    throw new Error(
      `fold of ${recorded.event.type} must set seq to the event's revision ${recorded.revision}, it is ${row.seq}`,
    )
  }
  return row
}

function indexOf(projection: Projection, key: string, row: Row): readonly string[] {
  if (isParked(row)) return [`${PARKED}${key}`.slice(0, 512)]
  const index = projection.index(key, row)
  for (const entry of index) if (!STORABLE.test(entry)) throw new Error(unstorable('index entry', entry))
  return index
}

function changeOf(key: string, before: readonly string[], { row, index }: Held): Change {
  // A course stands in the list of each of its students: comparing every entry with every other would take most of a
  // second.
  const [stood, stands] = [new Set(before), new Set(index)]
  return {
    key,
    // A projection's row is JSON by contract; one that is not is found by `checkJson`.
    row: (row ?? null) as unknown as Json,
    added: index.filter((entry) => !stood.has(entry)),
    removed: before.filter((entry) => !stands.has(entry)),
  }
}

const streamKey = ({ stream }: Recorded): string => stream.replace(/[^ -~]/g, '?').slice(0, 500)

const unstorable = (what: string, text: unknown): string =>
  `a view's ${what} must be 1 to 512 printable ASCII characters, got ${String(JSON.stringify(text)).slice(0, 100)}`

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
