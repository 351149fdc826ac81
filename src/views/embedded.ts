import { mkdir } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type Database, open } from 'lmdb'
import type { Checkpoint } from '../log/log.ts'
import { within } from '../within.ts'
import { isSame } from './position.ts'
import { type Entry, type Json, type ViewStore, ViewsDamaged, ViewsUnavailable } from './store.ts'
import { viewOf } from './table-name.ts'

/**
 * What is known of a table. `id` is never used twice, so that rows of a dropped table can be swept away later, in
 * pieces.
 */
interface TableRecord {
  readonly id: string
  /** Of the event up to which it is true. Tables of releases before decision 0033 have no id: nobody goes on there. */
  readonly position: string
  readonly eventId?: string
}

/** Between an index entry and its key. Below all printable characters; NUL is a separator of lmdb's own. */
const TAB = '\t'

/** After a commit that failed, on a full disk for one, lmdb's own close never ends. */
const CLOSE_MS = 3_000

/** Rows removed per transaction when a dropped table is swept away: some milliseconds of the event loop. */
const SWEEP_ROWS = 2_000

/**
 * Views in an LMDB directory, made if it is missing. Several processes may have it open at once (the server and the
 * command line): every check is made inside the write transaction. Rows are put on the event loop, about 6 µs each; the
 * commit and its fsync run on a thread of lmdb's: with `transactionSync` they hold up the event loop, and with it every
 * socket, for as long as the disk takes. Throws ViewsUnavailable when the directory cannot be opened.
 */
export async function openEmbeddedViews(path: string): Promise<ViewStore> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw new ViewsUnavailable(`the views' directory ${path} cannot be made: ${(error as Error).message}`)
  })
  const root = guarded(() => open({ path, maxDbs: 4 }))
  /** `live/<view>` -> table, `table/<table>` -> TableRecord, `doomed/<id>` -> true, `next` -> number. */
  const meta = root.openDB<string | number | boolean | TableRecord, string>({ name: 'meta', encoding: 'json' })
  /** `<id>/<key>` -> checksum, and the row as JSON text. */
  const rows = root.openDB<string, string>({ name: 'rows', encoding: 'string' })
  /** `<id>/<index>\t<key>` -> its checksum. */
  const index = root.openDB<string, string>({ name: 'index', encoding: 'string' })
  await guardedFormat(meta)
  let closed = false
  let sweeping = Promise.resolve()

  // As a child transaction, so that an error takes back what was put before it.
  const write = async <T>(action: () => T): Promise<T> => {
    if (closed) unavailable(new Error('it is closed'))
    return root.childTransaction(action).catch((error: CommitError) => {
      error.commitError?.catch(() => undefined) // it says no more than this one
      unavailable(error)
    })
  }
  // The keys under `table/` hold TableRecords only.
  const recordOf = (table: string) => meta.get(`table/${table}`) as TableRecord | undefined
  const liveOf = (view: string) => (meta.get(`live/${view}`) as string | undefined) ?? null
  const sweep = () => {
    sweeping = sweeping.then(() => sweepDoomed(meta, [rows, index], write, () => closed)).catch(() => {})
  }
  sweep()

  return {
    async live(view) {
      return guarded(() => liveOf(view))
    },

    async promote(view, previous, table) {
      const promoted = await write(() => {
        if (liveOf(view) !== previous) return false
        meta.putSync(`live/${view}`, table)
        for (const { key, value } of [...meta.getRange({ start: 'table/', end: 'table0' })]) {
          const name = key.slice('table/'.length)
          if (name === table || viewOf(name) !== view) continue
          meta.removeSync(key)
          meta.putSync(`doomed/${(value as TableRecord).id}`, true)
        }
        return true
      })
      if (promoted) sweep()
      return promoted
    },

    // Everything between two turns of the event loop is read from one snapshot: lmdb renews its read transaction only
    // afterwards.
    async read(table, keys) {
      return guarded(() => {
        const record = recordOf(table)
        return {
          upTo: checkpointOf(record),
          rows: keys.map((key) => {
            const place = record && `${record.id}/${key}`
            return place === undefined ? undefined : parsed(place, rows.get(place))
          }),
        }
      })
    },

    async scan(table, { from, to, limit, backwards = false, characters = Number.POSITIVE_INFINITY }) {
      return guarded(() => {
        const record = recordOf(table)
        if (!record || from >= to) return { upTo: checkpointOf(record), entries: [] }
        const low = `${record.id}/${from}`
        const high = `${record.id}/${to}`
        // Entries never end where a bound does (they go on with a tab and the key), so inclusive and exclusive ends are
        // the same thing.
        const found = index.getRange(
          backwards ? { start: high, end: low, reverse: true, limit } : { start: low, end: high, limit },
        )
        const entries: Entry[] = []
        let read = 0
        for (const { key: entry, value } of found) {
          if (read >= characters) return { upTo: checkpointOf(record), entries, isCut: true }
          mustBeWritten(entry, value)
          const cut = entry.indexOf(TAB)
          const key = entry.slice(cut + 1)
          const text = rows.get(`${record.id}/${key}`)
          read += text === undefined ? 0 : text.length - CHECKSUM_DIGITS
          const row = parsed(`${record.id}/${key}`, text) ?? null
          entries.push({ index: entry.slice(record.id.length + 1, cut), key, row })
        }
        return { upTo: checkpointOf(record), entries }
      })
    },

    async commit(table, from, to, changes) {
      const texts = changes.map(({ row }) => (row === null ? null : JSON.stringify(row)))
      return write(() => {
        const record = recordOf(table)
        if (!isSame(checkpointOf(record), from)) return false
        const id = record?.id ?? newId(meta)
        for (const [at, { key, added, removed }] of changes.entries()) {
          const text = texts[at]
          const place = `${id}/${key}`
          if (typeof text === 'string') rows.putSync(place, checksumOf(place + text) + text)
          else rows.removeSync(place)
          for (const entry of removed) index.removeSync(`${id}/${entry}${TAB}${key}`)
          for (const entry of added)
            index.putSync(`${id}/${entry}${TAB}${key}`, checksumOf(`${id}/${entry}${TAB}${key}`))
        }
        meta.putSync(`table/${table}`, { id, position: `${to.position}`, eventId: to.id })
        return true
      })
    },

    async close() {
      if (closed) return
      closed = true
      await sweeping
      await within(
        CLOSE_MS,
        root.flushed.then(() => root.close()),
      )
    },
  }
}

/** Of rows with a checksum. */
const FORMAT = 2

async function guardedFormat(meta: Database<string | number | boolean | TableRecord, string>): Promise<void> {
  const format = guarded(() => meta.get('format'))
  if (format === FORMAT) return
  if (format !== undefined || guarded(() => meta.getKeysCount({ limit: 1 })) > 0)
    throw new ViewsDamaged('they are of another release')
  await meta.put('format', FORMAT).catch(unavailable)
}

function newId(meta: Database<string | number | boolean | TableRecord, string>): string {
  const next = ((meta.get('next') as number | undefined) ?? 0) + 1
  meta.putSync('next', next)
  return next.toString(36)
}

/** Removes the rows of dropped tables piece by piece; what a crash leaves is swept at the next start. */
async function sweepDoomed(
  meta: Database<string | number | boolean | TableRecord, string>,
  stores: readonly Database<string, string>[],
  write: <T>(action: () => T) => Promise<T>,
  isClosed: () => boolean,
): Promise<void> {
  for (const doomed of [...meta.getKeys({ start: 'doomed/', end: 'doomed0' })]) {
    const id = doomed.slice('doomed/'.length)
    for (const store of stores) {
      for (let left = SWEEP_ROWS; left === SWEEP_ROWS; ) {
        await new Promise((resolve) => setImmediate(resolve))
        if (isClosed()) return
        left = await write(() => {
          const keys = [...store.getKeys({ start: `${id}/`, end: `${id}0`, limit: SWEEP_ROWS })]
          for (const key of keys) store.removeSync(key)
          return keys.length
        })
      }
    }
    await write(() => meta.removeSync(doomed))
  }
}

function guarded<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    return unavailable(error)
  }
}

function unavailable(error: unknown): never {
  if (error instanceof ViewsUnavailable) throw error
  throw new ViewsUnavailable(`the embedded views did not answer: ${(error as Error).message}`, { cause: error })
}

const checkpointOf = (record: TableRecord | undefined): Checkpoint | null =>
  record?.eventId === undefined ? null : { position: BigInt(record.position), id: record.eventId }

/** Of lmdb's own. */
interface CommitError extends Error {
  readonly commitError?: Promise<unknown>
}

const CHECKSUM_DIGITS = 8
const checksumOf = (text: string): string => crc32(text).toString(16).padStart(CHECKSUM_DIGITS, '0')

/** The row at a place that a text stands for. Throws ViewsDamaged when it is not what was written there. */
export function parsed(place: string, text: string | undefined): Json | undefined {
  if (text === undefined) return undefined
  const json = text.slice(CHECKSUM_DIGITS)
  mustBeWritten(place + json, text.slice(0, CHECKSUM_DIGITS))
  return JSON.parse(json)
}

export function mustBeWritten(text: string, checksum: string): void {
  if (checksumOf(text) !== checksum) throw new ViewsDamaged('something in them is not what was written')
}

/** A commit that failed rejects a promise of lmdb's own as well, which nobody can wait for. */
export const isToldByCommit = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Commit failed (see commitError for details)'
