import type { Checkpoint } from '../log/log.ts'
import { isSame } from './position.ts'
import type { Change, Entry, Json, ViewStore } from './store.ts'
import { viewOf } from './table-name.ts'

const CUT = { isCut: true } as const

interface Table {
  upTo: Checkpoint | null
  /** Rows as JSON text: nobody can change a stored row by accident. */
  readonly rows: Map<string, string>
  /** `<index>\0<key>` */
  readonly entries: Set<string>
  /**
   * The entries in order, null when they must be sorted anew. Printable ASCII: the order of UTF-16 code units is byte
   * order.
   */
  sorted: string[] | null
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
      return { upTo: table?.upTo ?? null, rows: keys.map((key) => parsed(table?.rows.get(key))) }
    },

    async scan(name, { from, to, limit, backwards = false, characters = Number.POSITIVE_INFINITY }) {
      const table = tables.get(name)
      if (!table) return { upTo: null, entries: [] }
      table.sorted ??= [...table.entries].sort()
      const { sorted } = table
      const start = firstNotBelow(sorted, from)
      const end = Math.max(start, firstNotBelow(sorted, to))
      const found = backwards
        ? sorted.slice(Math.max(start, end - limit), end).reverse()
        : sorted.slice(start, Math.min(end, start + limit))
      let read = 0
      const cut = found.findIndex((entry) => {
        const isOver = read >= characters
        read += table.rows.get(entry.slice(entry.indexOf('\0') + 1))?.length ?? 0
        return isOver
      })
      const shown = cut < 0 ? found : found.slice(0, cut)
      const entries = shown.map((entry) => entryOf(table, entry))
      return { upTo: table.upTo, entries, ...(cut < 0 ? {} : CUT) }
    },

    async commit(name, from, to, changes) {
      if (!isSame(tables.get(name)?.upTo ?? null, from)) return false
      const table = tables.get(name) ?? { upTo: null, rows: new Map(), entries: new Set(), sorted: null }
      write(table, changes)
      table.upTo = { position: to.position, id: to.id }
      tables.set(name, table)
      return true
    },

    async close() {},
  }
}

function write(table: Table, changes: readonly Change[]): void {
  // Texts first: what JSON cannot hold throws here, before anything has changed.
  const texts = changes.map(({ row }) => (row === null ? null : JSON.stringify(row)))
  // Some entries are moved one by one; from some number on, sorting once, when somebody scans, is cheaper.
  const sorted = changes.length > 64 ? null : table.sorted
  for (const [at, { key, added, removed }] of changes.entries()) {
    const text = texts[at]
    if (typeof text === 'string') table.rows.set(key, text)
    else table.rows.delete(key)
    for (const index of removed) {
      const entry = `${index}\0${key}`
      if (table.entries.delete(entry)) sorted?.splice(firstNotBelow(sorted, entry), 1)
    }
    for (const index of added) {
      const entry = `${index}\0${key}`
      if (!table.entries.has(entry)) sorted?.splice(firstNotBelow(sorted, entry), 0, entry)
      table.entries.add(entry)
    }
  }
  table.sorted = sorted
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
