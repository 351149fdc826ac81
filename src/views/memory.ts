import type { Change, Entry, Json, ViewStore } from './store.ts'
import { viewOf } from './table-name.ts'

interface Table {
  position: bigint | null
  /** Rows as JSON text: nobody can change a stored row by accident. */
  readonly rows: Map<string, string>
  /** `<index>\0<key>`, sorted. Printable ASCII, so that the order of UTF-16 code units is byte order. */
  entries: string[]
}

/** Views that live as long as the process: for tests, and for a fresh fold to compare with. */
export function memoryViews(): ViewStore {
  const lives = new Map<string, string>()
  const tables = new Map<string, Table>()

  return {
    async live(view) {
      return lives.get(view) ?? null
    },

    async promote(view, previous, table) {
      if ((lives.get(view) ?? null) !== previous) return false
      lives.set(view, table)
      for (const name of tables.keys()) if (name !== table && viewOf(name) === view) tables.delete(name)
      return true
    },

    async read(name, keys) {
      const table = tables.get(name)
      return { position: table?.position ?? null, rows: keys.map((key) => parsed(table?.rows.get(key))) }
    },

    async scan(name, { from, to, limit, backwards = false }) {
      const table = tables.get(name)
      if (!table) return { position: null, entries: [] }
      const start = firstNotBelow(table.entries, from)
      const end = Math.max(start, firstNotBelow(table.entries, to))
      const found = backwards
        ? table.entries.slice(Math.max(start, end - limit), end).reverse()
        : table.entries.slice(start, Math.min(end, start + limit))
      return { position: table.position, entries: found.map((entry) => entryOf(table, entry)) }
    },

    async commit(name, from, to, changes) {
      if ((tables.get(name)?.position ?? null) !== from) return false
      const table = tables.get(name) ?? { position: null, rows: new Map(), entries: [] }
      tables.set(name, table)
      write(table, changes)
      table.position = to
      return true
    },

    async close() {},
  }
}

function write(table: Table, changes: readonly Change[]): void {
  const removed = new Set<string>()
  const added = new Set<string>()
  for (const change of changes) {
    if (change.row === null) table.rows.delete(change.key)
    else table.rows.set(change.key, JSON.stringify(change.row))
    for (const index of change.removed) removed.add(`${index}\0${change.key}`)
    for (const index of change.added) added.add(`${index}\0${change.key}`)
  }
  // Few entries are moved one by one; from some size on, sorting once is cheaper than that many splices.
  if (removed.size + added.size > 64) {
    const kept = table.entries.filter((entry) => !removed.has(entry) && !added.has(entry))
    table.entries = [...kept, ...added].sort()
    return
  }
  for (const entry of removed) {
    const at = firstNotBelow(table.entries, entry)
    if (table.entries[at] === entry) table.entries.splice(at, 1)
  }
  for (const entry of added) {
    const at = firstNotBelow(table.entries, entry)
    if (table.entries[at] !== entry) table.entries.splice(at, 0, entry)
  }
}

function entryOf(table: Table, entry: string): Entry {
  const cut = entry.indexOf('\0')
  const key = entry.slice(cut + 1)
  return { index: entry.slice(0, cut), key, row: parsed(table.rows.get(key)) ?? null }
}

/** Binary search: where `entry` stands or would stand. */
function firstNotBelow(entries: readonly string[], entry: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // `middle` is below `high`, which is at most the length.
    if ((entries[middle] as string) < entry) low = middle + 1
    else high = middle
  }
  return low
}

const parsed = (text: string | undefined): Json | undefined => (text === undefined ? undefined : JSON.parse(text))
